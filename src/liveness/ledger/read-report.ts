import type { Anomaly } from '../../experiment/anomalies.ts';
import type { PartitionReads, ReadLedger } from './read.ts';
import { fromRuns, newSequenceMap, type SequenceRuns, toRuns } from './sequence-map.ts';
import { listOf } from './tally.ts';

/** What a reader saw, as JSON. */
export interface ReadReport {
  received: number;
  anomalies: Anomaly[];
  partitions: {
    partition: number;
    next: number;
    end?: number;
    own: SequenceRuns;
    rewritten: SequenceRuns;
    producers: { producer: number; due: number; copies: SequenceRuns[]; late: SequenceRuns }[];
  }[];
}

/** For the way between containers: all that closing the ledger needs. */
export function readReport({ received, tally, partitions }: ReadLedger): ReadReport {
  return {
    received,
    anomalies: listOf(tally),
    partitions: [...partitions].map(([partition, { next, end, own, rewritten, producers }]) => ({
      partition,
      next,
      ...(end === undefined ? {} : { end }),
      own: toRuns(own),
      rewritten: toRuns(rewritten),
      producers: [...producers].map(([producer, { due, copies, late }]) => ({
        producer,
        due,
        copies: copies.map(toRuns),
        late: toRuns(late),
      })),
    })),
  };
}

/** A ledger of `readReport`, to be closed; nothing more can be read into it. */
export function readFrom({ received, anomalies, partitions }: ReadReport): ReadLedger {
  const reads = partitions.map(({ partition, next, end, own, rewritten, producers }) => {
    const found: PartitionReads = {
      next,
      position: next,
      ...(end === undefined ? {} : { end }),
      own: fromRuns(own),
      strange: newSequenceMap(),
      rewritten: fromRuns(rewritten),
      producers: new Map(
        producers.map(({ producer, due, copies, late }) => [
          producer,
          { copies: copies.map(fromRuns), late: fromRuns(late), due, early: false },
        ]),
      ),
    };
    return [partition, found] as const;
  });
  return {
    received,
    tally: new Map(anomalies.map((anomaly) => [anomaly.kind, anomaly])),
    partitions: new Map(reads),
  };
}
