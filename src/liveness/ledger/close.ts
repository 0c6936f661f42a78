import type { AnomalyExample, AnomalyKind } from '../../experiment/anomalies.ts';
import {
  isDrained,
  noteRewritten,
  type PartitionReads,
  type ProducerReads,
  type ReadLedger,
} from './read.ts';
import type { SentLedger } from './sent.ts';
import {
  eachRun,
  newSequenceMap,
  nowhere,
  placeOf,
  type SequenceMap,
  unknown,
  unplaced,
} from './sequence-map.ts';
import { note, type Tally } from './tally.ts';

/** A producer that has not tried for this long when the stream is stopped is silent. ms */
export const silentAfterMs = 5_000;

/** Both sides of a stream that has come to its end. */
export interface ClosingSides {
  /** One a producer that has told; a producer that is missing here leaves its gaps open. */
  sent: SentLedger[];
  /** What was read while the stream ran. */
  live: ReadLedger;
  /** The whole log as it was read once more; then it alone says what the log holds. */
  again?: ReadLedger;
  /** Numbers of all producers of the run. */
  producers: number[];
  /** When the producers were stopped, epoch ms. */
  stoppedAt: number;
}

/** What only the reading can show while it goes on; the rest is read from the log as it is at the end. */
const seenWhileReading: AnomalyKind[] = ['truncated', 'stale', 'clock-step'];

/** Names and counts every anomaly of a stream. */
export function closeLedger({ sent, live, again, producers, stoppedAt }: ClosingSides): Tally {
  const log = again ?? live;
  const tally: Tally = new Map();
  for (const source of new Set([live, log])) {
    for (const [kind, { count, first, last }] of source.tally) {
      const wanted = seenWhileReading.includes(kind) ? source === live : source === log;
      if (wanted) note(tally, kind, first, count, last);
    }
  }
  const rewrittenIn = new Map(
    [...live.partitions].map(([partition, reads]) => [partition, structuredClone(reads.rewritten)]),
  );
  for (const ledger of sent) {
    for (const [partition, map] of ledger.partitions) {
      const rewritten = rewrittenIn.get(partition) ?? newSequenceMap();
      rewrittenIn.set(partition, rewritten);
      compare(tally, { partition, producer: ledger.producer }, map, { log, rewritten });
    }
  }
  for (const [partition, reads] of log.partitions) {
    for (const [producer, own] of reads.producers) {
      const outcomes = sent.find((ledger) => ledger.producer === producer)?.partitions.get(partition);
      noteOrder(tally, { partition, producer }, own, outcomes);
      noteGaps(tally, { partition, producer }, own, outcomes);
    }
  }
  for (const producer of producers) {
    const tried = Math.max(
      sent.find((ledger) => ledger.producer === producer)?.triedAt ?? 0,
      dueOf(live, producer),
    );
    if (stoppedAt - tried <= silentAfterMs) continue;
    const detail = tried === 0 ? 'never heard of' : `silent for the last ${Math.round(stoppedAt - tried)} ms`;
    note(tally, 'silent-producer', { producer, detail });
  }
  return tally;
}

/** When the latest record that was read of a producer was due, epoch ms; 0 where none was. */
function dueOf({ partitions }: ReadLedger, producer: number): number {
  return Math.max(0, ...[...partitions.values()].map(({ producers }) => producers.get(producer)?.due ?? 0));
}

type Whose = Pick<AnomalyExample, 'partition' | 'producer'> & { partition: number; producer: number };

/** What was sent against what the log holds, run by run. */
function compare(
  tally: Tally,
  whose: Whose,
  sent: SequenceMap,
  { log, rewritten }: { log: ReadLedger; rewritten: SequenceMap },
): void {
  const reads = log.partitions.get(whose.partition);
  const copies = reads?.producers.get(whose.producer)?.copies ?? [];
  const [inLog = newSequenceMap()] = copies;
  const drained = isDrained(log, whose.partition);
  eachRun(sent, (first, count, outcome) => {
    if (outcome === nowhere) return;
    eachPiece(inLog, first, count, (from, length, found) => {
      const offset = outcome < unplaced ? outcome + from - first : undefined;
      if (found === nowhere) {
        const missing = outcome === unknown ? 'unknown-unseen' : 'lost';
        // Before the log's end is reached, a record that was not read may still come.
        noteRange(tally, drained ? missing : 'gap-open', whose, from, length, offset);
      } else if (outcome === unknown) noteRange(tally, 'unknown-seen', whose, from, length, found);
      if (!drained || offset === undefined || found === offset) return;
      for (let step = 0; step < length; step++) {
        const example = { ...whose, sequence: from + step, offset: offset + step };
        if (copies.some((copy) => placeOf(copy, example.sequence) === example.offset)) continue;
        const detail = holder(reads, example.offset);
        if (detail) noteRewritten(tally, { rewritten }, { ...example, detail });
      }
    });
  });
}

/** What is at an offset that was acknowledged for another record; undefined where the log may have it and it was not read. */
function holder(reads: PartitionReads | undefined, offset: number): string | undefined {
  if (reads?.end !== undefined && offset >= reads.end)
    return `acknowledged, and the log ends at ${reads.end}`;
  if (reads && placeOf(reads.own, offset) !== nowhere)
    return 'acknowledged, and the offset holds another record';
  return undefined;
}

/** A record of unknown outcome may come whenever it likes; any other one has its place. */
function noteOrder(tally: Tally, whose: Whose, { copies, late }: ProducerReads, sent?: SequenceMap): void {
  const [inLog = newSequenceMap()] = copies;
  eachRun(late, (first, count, place) => {
    if (place === nowhere) return;
    for (let sequence = first; sequence < first + count; sequence++) {
      if (sent && placeOf(sent, sequence) === unknown) continue;
      note(tally, 'reordered', { ...whose, sequence, offset: placeOf(inLog, sequence) });
    }
  });
}

/** Holes below the highest sequence read of which the producer said nothing. */
function noteGaps(tally: Tally, whose: Whose, { copies }: ProducerReads, sent?: SequenceMap): void {
  const [inLog = newSequenceMap()] = copies;
  eachRun(inLog, (first, count, place) => {
    if (place !== nowhere) return;
    eachPiece(sent ?? newSequenceMap(), first, count, (from, length, outcome) => {
      if (outcome === nowhere) noteRange(tally, 'gap-open', whose, from, length);
    });
  });
}

/** Like `eachRun` over exactly `count` sequences: what the map does not reach is nowhere. */
function eachPiece(
  map: SequenceMap,
  first: number,
  count: number,
  visit: (first: number, count: number, place: number) => void,
): void {
  eachRun(map, visit, first, first + count);
  const rest = Math.max(first, map.end);
  if (rest < first + count) visit(rest, first + count - rest, nowhere);
}

function noteRange(
  tally: Tally,
  kind: AnomalyKind,
  whose: Whose,
  first: number,
  count: number,
  offset?: number,
): void {
  const at = (step: number): AnomalyExample => ({
    ...whose,
    sequence: first + step,
    ...(offset === undefined ? {} : { offset: offset + step }),
  });
  note(tally, kind, at(0), count, at(count - 1));
}
