import type { ContainerEnd, Latency, StreamReport } from '../experiment/result.ts';
import { countOf, difference, firstOf } from './intervals.ts';
import type { ConsumerReport, ProducerReport } from './protocol.ts';

/** How each container of the liveness pod ended. */
export interface ContainerEnds {
  producer: ContainerEnd;
  consumer: ContainerEnd;
  observer: ContainerEnd;
}

/**
 * Closes the ledger: what was acknowledged against what was read. Undefined where one of the two reports is missing, because
 * then nothing can be told. Where intervals did not fit a last word, lost records are counted from the totals and `drained` is
 * false, so that no one takes the figure for a proof.
 */
export function account(
  producer: ProducerReport | undefined,
  consumer: ConsumerReport | undefined,
  ends: ContainerEnds,
): StreamReport | undefined {
  if (!producer || !consumer) return undefined;
  const { ackedIntervals, unknownIntervals } = producer;
  const { receivedIntervals } = consumer;
  const notes: string[] = [];
  const lost =
    ackedIntervals && receivedIntervals ? difference(ackedIntervals, receivedIntervals) : undefined;
  if (!lost)
    notes.push('the ledgers were too fragmented for a last word: lost records cannot be told one by one');
  if (unknownIntervals && receivedIntervals) {
    const seenAfterAll = countOf(unknownIntervals) - countOf(difference(unknownIntervals, receivedIntervals));
    if (countOf(unknownIntervals) > 0) {
      notes.push(`${seenAfterAll} of ${countOf(unknownIntervals)} records of unknown outcome were read`);
    }
  }
  if (consumer.foreign > 0) notes.push(`${consumer.foreign} records were damaged or not ours`);
  for (const { role, rebuilds, lastError } of [producer, consumer]) {
    if (rebuilds > 0)
      notes.push(`the ${role}’s client was built anew ${rebuilds} times; last error: ${lastError ?? 'none'}`);
  }
  return {
    acked: producer.acked,
    received: consumer.received,
    lost: lost ? countOf(lost) : Math.max(0, producer.acked - consumer.received),
    lostExamples: lost ? firstOf(lost, 5) : [],
    duplicated: consumer.duplicated,
    outOfOrder: consumer.outOfOrder,
    unknown: producer.unknown,
    longestSilenceMs: consumer.longestSilenceMs,
    ...(consumer.longestSilenceAt === undefined
      ? {}
      : { longestSilenceAt: new Date(consumer.longestSilenceAt).toISOString() }),
    longestAckGapMs: producer.longestAckGapMs,
    ...present('sendToAck', producer.sendToAck),
    ...present('sendToReceive', consumer.sendToReceive),
    drained: consumer.drained && lost !== undefined,
    ...ends,
    ...(consumer.silence ? { silence: consumer.silence } : {}),
    notes,
  };
}

function present(name: 'sendToAck' | 'sendToReceive', latency: Latency): Partial<StreamReport> {
  return latency.count > 0 ? { [name]: latency } : {};
}
