import {
  eachRun,
  fromRuns,
  newSequenceMap,
  put,
  type SequenceMap,
  type SequenceRuns,
  toRuns,
  unknown,
  unplaced,
} from './sequence-map.ts';

/** What became of every record that one producer sent. */
export interface SentLedger {
  /** Number of the producer within its run. */
  producer: number;
  partitions: Map<number, SequenceMap>;
  /** When it last tried to send, epoch ms; absent: never. */
  triedAt?: number;
}

/** A ledger of a producer that has sent nothing yet. */
export function newSentLedger(producer: number): SentLedger {
  return { producer, partitions: new Map() };
}

/** Acknowledged: `count` records from sequence `first`, at consecutive offsets from `offset`; -1 where the broker did not say (acks=0). */
export function recordAcked(
  ledger: SentLedger,
  partition: number,
  first: number,
  count: number,
  offset: number,
): void {
  put(mapOf(ledger, partition), first, count, offset < 0 ? unplaced : offset);
}

/** The send failed or timed out: nobody knows whether the log has these records. */
export function recordUnknown(ledger: SentLedger, partition: number, first: number, count: number): void {
  put(mapOf(ledger, partition), first, count, unknown);
}

/** How many records of the ledger have an unknown outcome. */
export function unknownIn(ledger: SentLedger): number {
  let found = 0;
  for (const map of ledger.partitions.values()) {
    eachRun(map, (_, count, place) => {
      if (place === unknown) found += count;
    });
  }
  return found;
}

function mapOf(ledger: SentLedger, partition: number): SequenceMap {
  let map = ledger.partitions.get(partition);
  if (!map) {
    map = newSequenceMap();
    ledger.partitions.set(partition, map);
  }
  return map;
}

/** A ledger as JSON. */
export interface SentReport {
  producer: number;
  triedAt?: number;
  partitions: ({ partition: number } & SequenceRuns)[];
}

/** For the way between containers. */
export function sentReport({ producer, triedAt, partitions }: SentLedger): SentReport {
  return {
    producer,
    ...(triedAt === undefined ? {} : { triedAt }),
    partitions: [...partitions].map(([partition, map]) => ({ partition, ...toRuns(map) })),
  };
}

/** The ledger of `sentReport`. */
export function sentFrom({ producer, triedAt, partitions }: SentReport): SentLedger {
  return {
    producer,
    ...(triedAt === undefined ? {} : { triedAt }),
    partitions: new Map(partitions.map(({ partition, ...runs }) => [partition, fromRuns(runs)])),
  };
}
