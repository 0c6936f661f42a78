import type { ContainerEnds, Latency, StreamReport } from '../experiment/stream-report.ts';
import { closeLedger } from './ledger/close.ts';
import { type ReadReport, readFrom } from './ledger/read-report.ts';
import { sentFrom } from './ledger/sent.ts';
import { countOf, listOf, type Tally } from './ledger/tally.ts';
import type { ConsumerReport, ProducerReport } from './protocol.ts';

/** What the stream's containers told. */
export interface StreamSides {
  producer: ProducerReport | undefined;
  consumer: ConsumerReport | undefined;
  /** The whole log, read once more after the stream's end. */
  again?: ReadReport | undefined;
  /** Whether the brokers elect replicas that are not in sync; absent = not observed. */
  uncleanElection?: boolean | undefined;
}

/**
 * Closes the ledger: what was sent against what was read. Undefined where one of the two reports is missing, because then nothing
 * can be told. Where a ledger did not fit a last word, lost records are counted from the totals and `drained` is false, so that
 * no one takes the figure for a proof.
 */
export function account(
  { producer, consumer, again, uncleanElection }: StreamSides,
  ends: ContainerEnds,
): StreamReport | undefined {
  if (!producer || !consumer) return undefined;
  const tally = tallyOf(producer, consumer, again);
  const anomalies = tally && listOf(tally);
  const lost = anomalies?.find(({ kind }) => kind === 'lost');
  return {
    acked: producer.acked,
    received: consumer.received,
    lost: tally ? countOf(tally, 'lost') : Math.max(0, producer.acked - consumer.received),
    lostExamples: lost ? [...new Set([lost.first, lost.last].flatMap(({ sequence }) => sequence ?? []))] : [],
    duplicated: tally ? countOf(tally, 'duplicated') : 0,
    outOfOrder: tally ? countOf(tally, 'reordered') : 0,
    unknown: producer.unknown,
    longestSilenceMs: consumer.longestSilenceMs,
    ...(consumer.longestSilenceAt === undefined
      ? {}
      : { longestSilenceAt: new Date(consumer.longestSilenceAt).toISOString() }),
    longestAckGapMs: producer.longestAckGapMs,
    ...present('sendToAck', producer.sendToAck),
    ...present('sendToReceive', consumer.sendToReceive),
    ...outagesOf(producer),
    ...(consumer.group ? { group: consumer.group } : {}),
    ...(consumer.direct ? { directReader: consumer.direct } : {}),
    ...(anomalies ? { anomalies } : {}),
    delivery: { ...producer.delivery, ...(uncleanElection === undefined ? {} : { uncleanElection }) },
    drained: (consumer.drained || again !== undefined) && tally !== undefined,
    ...ends,
    ...(consumer.silence ? { silence: consumer.silence } : {}),
    notes: notesOn(producer, consumer, tally, again),
  };
}

/**
 * Whether the log has to be read once more before anybody is told that it broke its promise: a reader may not have come to its end, and
 * one that follows the log may have been carried past records by a log that went back and grew again.
 */
export function needsSecondReading({ drained, anomalies = [] }: StreamReport): boolean {
  return !drained || anomalies.some(({ kind }) => kind === 'lost' || kind === 'truncated');
}

function tallyOf(producer: ProducerReport, consumer: ConsumerReport, again?: ReadReport): Tally | undefined {
  if (!producer.ledger || !consumer.ledger) return undefined;
  return closeLedger({
    sent: [sentFrom(producer.ledger)],
    live: readFrom(consumer.ledger),
    ...(again ? { again: readFrom(again) } : {}),
    producers: [producer.ledger.producer],
    // Whoever closes the stream may have to ask again: by then its producer has been silent for as long as it was told to be.
    stoppedAt: producer.stoppedAt ?? producer.now,
  });
}

function notesOn(
  producer: ProducerReport,
  consumer: ConsumerReport,
  tally: Tally | undefined,
  again: ReadReport | undefined,
): string[] {
  const notes: string[] = [];
  if (!tally)
    notes.push('the ledgers were too fragmented for a last word: lost records cannot be told one by one');
  else if (producer.unknown > 0) {
    const seen = countOf(tally, 'unknown-seen');
    notes.push(`${seen} of ${producer.unknown} records of unknown outcome were read`);
  }
  if (again) {
    const notDrained = consumer.drained
      ? 'before anything was called lost'
      : 'as the consumer had not come to its end';
    const why = consumer.silence ? 'after the consumer had given up' : notDrained;
    notes.push(`the log was read a second time, from its beginning, ${why}`);
  }
  for (const fact of consumer.direct?.stuckEvidence ?? []) {
    notes.push(`the consumer’s client was stuck, not the cluster: ${fact}`);
  }
  for (const { role, rebuilds, lastError } of [producer, consumer]) {
    if (rebuilds > 0)
      notes.push(`the ${role}’s client was built anew ${rebuilds} times; last error: ${lastError ?? 'none'}`);
  }
  return notes;
}

function outagesOf({ outages }: ProducerReport): Partial<StreamReport> {
  if (!outages) return {};
  const { count, maxMs, totalMs, worst, longest } = outages;
  return { producerOutage: { count, maxMs, totalMs, worst }, producerOutages: longest };
}

function present(name: 'sendToAck' | 'sendToReceive', latency: Latency): Partial<StreamReport> {
  return latency.count > 0 ? { [name]: latency } : {};
}
