import { withoutHosts } from '../experiment/without-hosts.ts';
import { connectKafka } from '../kafka/connect-kafka.ts';
import { clientOptions } from './client-options.ts';
import type { Settings } from './environment.ts';
import { writeTermination } from './server.ts';

/** Init container: makes the stream's topic; a second start finds it there. Gives the exit code. */
export async function makeTopic(settings: Settings): Promise<number> {
  const kafka = connectKafka(clientOptions(settings, 'topic'));
  try {
    const made = await kafka.createTopic({
      name: settings.topic,
      partitions: settings.stream.partitions,
      replicationFactor: settings.replicationFactor,
      config: { 'min.insync.replicas': String(settings.minInsyncReplicas), 'retention.ms': '-1' },
    });
    console.log(`topic ${settings.topic} ${made}`);
    return 0;
  } catch (error) {
    const message = withoutHosts((error as Error).message);
    console.error(message);
    writeTermination(settings.terminationLog, { error: message });
    return 1;
  } finally {
    await kafka.close();
  }
}
