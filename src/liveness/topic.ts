import { withoutHosts } from '../experiment/without-hosts.ts';
import { connectKafka } from '../kafka/connect-kafka.ts';
import { clientOptions } from './client-options.ts';
import type { Settings } from './environment.ts';
import { writeTermination } from './server.ts';

/** A record that is missing was lost: what the topic is not told itself it takes from its brokers, and theirs may delete or compact. */
const keepsAll = { 'cleanup.policy': 'delete', 'retention.ms': '-1', 'retention.bytes': '-1' };

/** Init container: makes the stream's topic; a second start finds it there. Gives the exit code. */
export async function makeTopic(settings: Settings): Promise<number> {
  const kafka = connectKafka(clientOptions(settings, 'topic'));
  try {
    const made = await kafka.createTopic({
      name: settings.topic,
      partitions: settings.stream.partitions,
      replicationFactor: settings.replicationFactor,
      config: { 'min.insync.replicas': String(settings.minInsyncReplicas), ...keepsAll },
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
