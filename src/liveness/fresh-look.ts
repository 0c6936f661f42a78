import { LeaderfallError } from '../experiment/errors.ts';
import type { SilenceEnd } from '../experiment/stream-report.ts';
import { connectKafka } from '../kafka/connect-kafka.ts';
import { connectSender } from '../kafka/record-sender.ts';
import { clientOptions } from './client-options.ts';
import type { Settings } from './environment.ts';
import { encodeRecord, probeProducer } from './record.ts';

/**
 * What a client that has never been connected finds of a partition: is there a leader, did the log move past what was read (the next
 * offset), is a record taken with acks=all? A cluster that serves a fresh client while ours was silent means that ours is stuck.
 */
export async function lookAfresh(
  settings: Settings,
  { partition: number, next }: { partition: number; next: number },
): Promise<Pick<SilenceEnd, 'confirmed' | 'evidence'>> {
  const { topic } = settings;
  const evidence: string[] = [];
  const kafka = connectKafka(clientOptions(settings, 'fresh'));
  let moved = false;
  let refused = false;
  try {
    const { partitions } = await kafka.metadata({ topics: [topic], timeoutMs: 2_000 });
    const partition = partitions.find((one) => one.partition === number);
    evidence.push(
      `leader ${partition?.leader ?? 'unknown'}, in sync: ${partition?.isr.join(', ') ?? 'unknown'}`,
    );
    const end = (await kafka.endOffsets(topic)).get(number) ?? 0n;
    moved = end > next;
    evidence.push(`the log of partition ${number} ends at ${end}, read up to ${next}`);
  } catch (error) {
    evidence.push(`asking the brokers failed: ${(error as Error).message}`);
    refused = error instanceof LeaderfallError && !error.problem.retryable;
  } finally {
    await kafka.close();
  }
  const served = await sendProbe(settings, number).then(
    () => {
      evidence.push('a probe record was acknowledged');
      return true;
    },
    (error: Error) => {
      evidence.push(`a probe record was not acknowledged: ${error.message}`);
      return false;
    },
  );
  return { confirmed: served || moved || refused ? 'stuck-client' : 'outage', evidence };
}

async function sendProbe(settings: Settings, partition: number): Promise<void> {
  const { topic, runId } = settings;
  const sender = await connectSender({
    ...clientOptions(settings, 'fresh'),
    ...{ topic, partition, requestTimeoutMs: 2_000 },
  });
  const probe = { producer: probeProducer, partition, sequence: 0, at: Date.now() };
  try {
    await sender.send([{ value: encodeRecord(probe, runId) }]);
  } finally {
    await sender.close();
  }
}
