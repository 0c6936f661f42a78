import type { Anomaly } from '../../experiment/anomalies.ts';
import type { PartitionReads, ReadLedger } from './read.ts';
import { fromRuns, type SequenceRuns, toRuns } from './sequence-map.ts';
import { listOf } from './tally.ts';

/** What a reader saw, as JSON. */
export interface ReadReport {
  received: number;
  heard: [producer: number, due: number][];
  anomalies: Anomaly[];
  partitions: {
    partition: number;
    next: number;
    end?: number;
    own: SequenceRuns;
    rewritten: SequenceRuns;
    producers: { producer: number; copies: SequenceRuns[]; late: SequenceRuns }[];
  }[];
}

/** For the way between containers: all that closing the ledger needs. */
export function readReport({ received, heard, tally, partitions }: ReadLedger): ReadReport {
  return {
    received,
    heard: [...heard],
    anomalies: listOf(tally),
    partitions: [...partitions].map(([partition, { next, end, own, rewritten, producers }]) => ({
      partition,
      next,
      ...(end === undefined ? {} : { end }),
      own: toRuns(own),
      rewritten: toRuns(rewritten),
      producers: [...producers].map(([producer, { copies, late }]) => ({
        producer,
        copies: copies.map(toRuns),
        late: toRuns(late),
      })),
    })),
  };
}

/** A ledger of `readReport`, to be closed; nothing more can be read into it. */
export function readFrom({ received, heard, anomalies, partitions }: ReadReport): ReadLedger {
  const reads = partitions.map(({ partition, next, end, own, rewritten, producers }) => {
    const found: PartitionReads = {
      next,
      position: next,
      ...(end === undefined ? {} : { end }),
      own: fromRuns(own),
      strange: fromRuns({ end: 0, runs: [] }),
      rewritten: fromRuns(rewritten),
      producers: new Map(
        producers.map(({ producer, copies, late }) => [
          producer,
          { copies: copies.map(fromRuns), late: fromRuns(late), due: 0 },
        ]),
      ),
    };
    return [partition, found] as const;
  });
  return {
    received,
    heard: new Map(heard),
    tally: new Map(anomalies.map((anomaly) => [anomaly.kind, anomaly])),
    partitions: new Map(reads),
    early: new Set(),
  };
}
