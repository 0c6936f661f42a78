import type { ReadLedger } from './read.ts';
import type { SentLedger } from './sent.ts';
import { bytesOf, type SequenceMap } from './sequence-map.ts';

/** Bytes that a producer's ledger holds. */
export function sentBytes({ partitions }: SentLedger): number {
  return sum([...partitions.values()]);
}

/** Bytes that a reader's ledger holds. */
export function readBytes({ partitions }: ReadLedger): number {
  return sum(
    [...partitions.values()].flatMap(({ own, strange, rewritten, producers }) => [
      ...[own, strange, rewritten],
      ...[...producers.values()].flatMap(({ copies, late }) => [...copies, late]),
    ]),
  );
}

function sum(maps: SequenceMap[]): number {
  return maps.reduce((bytes, map) => bytes + bytesOf(map), 0);
}
