import type { AnomalyExample } from '../../experiment/anomalies.ts';
import { newSequenceMap, nowhere, placeOf, put, type SequenceMap, unplaced } from './sequence-map.ts';
import { note, type Tally } from './tally.ts';

/** Clocks that differ by less were not set but read at different moments. ms */
export const clockToleranceMs = 100;

/** What one reader saw of all partitions, and what it found wrong while reading. */
export interface ReadLedger {
  partitions: Map<number, PartitionReads>;
  /** Records of the run in the log; what was read again is not counted again. */
  received: number;
  tally: Tally;
  /** The two clocks when they were last compared, ms. */
  clocks?: { wall: number; monotonic: number };
}

/** What was read of one partition. */
export interface PartitionReads {
  /** The reader has seen the log up to here. */
  next: number;
  /** Where the present session of the reader stands; what comes from below is stale. */
  position: number;
  /** Where the log ended when it was closed. */
  end?: number;
  /** Offsets that held a record of the run, as a set. */
  own: SequenceMap;
  /** Offsets that held a probe, or a damaged or foreign record, as a set. */
  strange: SequenceMap;
  /** Offsets that held one record and then another, or none, as a set. */
  rewritten: SequenceMap;
  producers: Map<number, ProducerReads>;
}

/** What was read of one producer in one partition. */
export interface ProducerReads {
  /** Where each record was read first, where it was read a second time, and so on. */
  copies: SequenceMap[];
  /** Sequences that came behind a later one, as a set. */
  late: SequenceMap;
  /** When the latest record was due, epoch ms. */
  due: number;
  /** Records come before they are due: one of the clocks is wrong. */
  early: boolean;
}

/** One intact record as it was read; times in epoch ms. */
export interface RecordRead {
  partition: number;
  offset: number;
  producer: number;
  sequence: number;
  due: number;
}

/** What a record is to the ledger. */
export type Finding = 'new' | 'duplicated' | 'truncated' | 'stale' | 'again';

/** A ledger of a reader that has read nothing yet. */
export function newReadLedger(): ReadLedger {
  return { partitions: new Map(), received: 0, tally: new Map() };
}

/** Takes one intact record down. `now` is the reader's clock, epoch ms. */
export function recordRead(ledger: ReadLedger, record: RecordRead, now: number): Finding {
  const { partition, offset, producer, sequence } = record;
  const reads = readsOf(ledger, partition);
  const own = producerOf(reads, producer);
  const stale = offset < reads.position;
  const known = offset < reads.next && placeOf(reads.own, offset) !== nowhere;
  advance(reads, offset + 1);
  if (known && own.copies.some((copy) => placeOf(copy, sequence) === offset)) {
    if (stale) note(ledger.tally, 'stale', { partition, producer, sequence, offset });
    return stale ? 'stale' : 'again';
  }
  const newest = sequence >= (own.copies[0]?.end ?? 0);
  compareTimes(ledger, own, record, { newest, now });
  ledger.received++;
  const before = addCopy(own, sequence, offset);
  if (known) {
    const detail = 'the offset held another record before';
    noteRewritten(ledger.tally, reads, { partition, producer, sequence, offset, detail });
    return 'truncated';
  }
  put(reads.own, offset, 1, unplaced);
  if (before === nowhere) {
    if (!newest) put(own.late, sequence, 1, unplaced);
    return 'new';
  }
  note(ledger.tally, 'duplicated', { partition, producer, sequence, offset, detail: `also at ${before}` });
  return 'duplicated';
}

/** An offset that held a record holds another one, or none: counted once an offset. */
export function noteRewritten(
  tally: Tally,
  { rewritten }: Pick<PartitionReads, 'rewritten'>,
  example: AnomalyExample & { offset: number },
): void {
  if (placeOf(rewritten, example.offset) !== nowhere) return;
  put(rewritten, example.offset, 1, unplaced);
  note(tally, 'truncated', example);
}

/** Takes down an offset that holds no record of the run: 'probe' is passed over, the others are counted, once each. */
export function recordStrange(
  ledger: ReadLedger,
  partition: number,
  offset: number,
  kind: 'damaged' | 'foreign' | 'probe',
): void {
  const reads = readsOf(ledger, partition);
  advance(reads, offset + 1);
  if (placeOf(reads.strange, offset) !== nowhere) return;
  put(reads.strange, offset, 1, unplaced);
  if (kind === 'probe') return;
  note(ledger.tally, kind, { partition, offset });
  if (kind === 'foreign' && placeOf(reads.own, offset) !== nowhere) {
    noteRewritten(ledger.tally, reads, { partition, offset, detail: 'the offset held a record of this run' });
  }
}

/** The reader has passed offsets that hold nothing for it, such as the markers of transactions. */
export function recordPassed(ledger: ReadLedger, partition: number, next: number): void {
  const reads = readsOf(ledger, partition);
  if (next > reads.next) advance(reads, next);
}

/** The reader may begin again at an earlier offset: its client is new, or its group has rebalanced. */
export function recordReopened(ledger: ReadLedger): void {
  for (const reads of ledger.partitions.values()) reads.position = 0;
}

/**
 * The log of a partition ends here, as a closing read was told after the last send. Call it once, when the end has been found: an
 * end below what was read means that the log went back.
 */
export function recordEnd(ledger: ReadLedger, partition: number, end: number): void {
  const reads = readsOf(ledger, partition);
  reads.end = end;
  if (end >= reads.next) return;
  const detail = `the log ended at ${end} after it was read to ${reads.next}`;
  for (let offset = end; offset < reads.next; offset++) {
    noteRewritten(ledger.tally, reads, { partition, offset, detail });
  }
}

/** Whether a partition was read to its end. */
export function isDrained(ledger: ReadLedger, partition: number): boolean {
  const reads = ledger.partitions.get(partition);
  return reads?.end !== undefined && reads.next >= reads.end;
}

/** Compares the clock on the wall with one that only runs, both ms; a jump between two calls is a step. */
export function recordClocks(ledger: ReadLedger, wall: number, monotonic: number): void {
  const before = ledger.clocks;
  ledger.clocks = { wall, monotonic };
  if (!before) return;
  const jump = Math.round(wall - before.wall - (monotonic - before.monotonic));
  if (Math.abs(jump) > clockToleranceMs) {
    note(ledger.tally, 'clock-step', { detail: `the reader's clock jumped by ${jump} ms` });
  }
}

/** A producer's records are due in their order, and none is read before it is due. */
function compareTimes(
  { tally }: ReadLedger,
  own: ProducerReads,
  record: RecordRead,
  { newest, now }: { newest: boolean; now: number },
): void {
  const { due } = record;
  const early = due > now + clockToleranceMs;
  if (newest && due < own.due - clockToleranceMs) {
    noteClock(tally, record, `due ${own.due - due} ms before the record ahead of it`);
  }
  if (early && !own.early) noteClock(tally, record, `read ${due - now} ms before it was due`);
  if (newest) own.due = due;
  own.early = early;
}

function noteClock(tally: Tally, { due, ...example }: RecordRead, detail: string): void {
  note(tally, 'clock-step', { ...example, detail });
}

/** Keeps the place; gives the one where the record was read first, or nowhere. */
function addCopy({ copies }: ProducerReads, sequence: number, offset: number): number {
  let before = nowhere;
  for (const copy of copies) {
    const place = placeOf(copy, sequence);
    if (place === nowhere) {
      put(copy, sequence, 1, offset);
      return before;
    }
    if (before === nowhere) before = place;
  }
  const copy = newSequenceMap();
  put(copy, sequence, 1, offset);
  copies.push(copy);
  return before;
}

function advance(reads: PartitionReads, next: number): void {
  reads.position = next;
  if (next > reads.next) reads.next = next;
}

function readsOf({ partitions }: ReadLedger, partition: number): PartitionReads {
  let reads = partitions.get(partition);
  if (!reads) {
    reads = {
      next: 0,
      position: 0,
      own: newSequenceMap(),
      strange: newSequenceMap(),
      rewritten: newSequenceMap(),
      producers: new Map(),
    };
    partitions.set(partition, reads);
  }
  return reads;
}

function producerOf({ producers }: PartitionReads, producer: number): ProducerReads {
  let own = producers.get(producer);
  if (!own) {
    own = { copies: [newSequenceMap()], late: newSequenceMap(), due: 0, early: false };
    producers.set(producer, own);
  }
  return own;
}
