import type { ProducerOutage, ProducerOutages } from '../experiment/stream-figures.ts';

/** A wait for an ack that is shorter than this, and without an error, is a busy broker and no outage. ms */
export const ackFloorMs = 100;

/** Only the longest are told one by one, and no more than these are kept of a partition. */
const maxTold = 20;
const maxKept = 200;

/** Outages of a partition that are over and are told no more. */
export interface Dropped {
  partition: number;
  count: number;
  totalMs: number;
}

/** Keeps the outages of one partition as its producer has them. All times by one monotonic clock, ms. */
export interface AckOutages {
  /** A batch is acknowledged that was to be sent then: when its oldest record was due and had waited for others. */
  acked(at: number, wanted: number): void;
  /** A send ended in an error. */
  failed(kind: string, wanted: number): void;
  /** Requests that the client repeated by itself, and what it waited before them. */
  repeated(requests: number, waitedMs: number): void;
  /** Nothing was tried for so long. */
  paused(ms: number): void;
  rebuilt(): void;
  /** Those that are over are none. */
  forget(): void;
  /** The longest that are over and the one that is not; `waitingSince` is when the oldest record without an ack was to be sent. */
  list(now: number, waitingSince?: number): ProducerOutage[];
  /** Number and length of those that are over and are not in the list any more. */
  readonly dropped: Dropped;
}

/** `epochOf` gives the wall clock's time of a moment. */
export function ackOutages(partition: number, epochOf: (at: number) => number): AckOutages {
  const over: ProducerOutage[] = [];
  const dropped: Dropped = { partition, count: 0, totalMs: 0 };
  let lastAckAt: number | undefined;
  let firstWanted: number | undefined;
  let current = nothing();

  function outage(from: number, to: number): ProducerOutage {
    return { partition, at: Math.round(epochOf(from)), ms: Math.round(to - from), ...current };
  }

  function keep(found: ProducerOutage): void {
    over.push(found);
    if (over.length <= maxKept) return;
    const shortest = over.reduce((least, one) => (one.ms < least.ms ? one : least));
    over.splice(over.indexOf(shortest), 1);
    dropped.count++;
    dropped.totalMs += shortest.ms;
  }

  return {
    dropped,
    acked(at, wanted) {
      const waited = at - Math.max(lastAckAt ?? wanted, wanted);
      const from = lastAckAt ?? firstWanted ?? wanted;
      if (current.failedSends > 0 || waited >= ackFloorMs) keep(outage(from, at));
      lastAckAt = at;
      current = nothing();
    },
    failed(kind, wanted) {
      firstWanted ??= wanted;
      current.failedSends++;
      current.errors[kind] = (current.errors[kind] ?? 0) + 1;
    },
    repeated(requests, waitedMs) {
      current.retries += requests;
      current.backoffMs += Math.round(waitedMs);
    },
    paused(ms) {
      current.backoffMs += Math.round(ms);
    },
    rebuilt() {
      current.rebuilds++;
    },
    forget() {
      over.length = 0;
      dropped.count = 0;
      dropped.totalMs = 0;
    },
    list(now, waitingSince) {
      const since = Math.max(lastAckAt ?? 0, waitingSince ?? now);
      if (current.failedSends === 0 && now - since < ackFloorMs) return [...over];
      const from = lastAckAt ?? firstWanted ?? since;
      return [...over, { ...outage(from, now), open: true }];
    },
  };
}

function nothing(): Pick<ProducerOutage, 'errors' | 'failedSends' | 'retries' | 'backoffMs' | 'rebuilds'> {
  return { errors: {}, failedSends: 0, retries: 0, backoffMs: 0, rebuilds: 0 };
}

/** Those of all partitions, summed up. */
export function summedUp(outages: ProducerOutage[], dropped: readonly Dropped[] = []): ProducerOutages {
  const longest = [...outages].sort((a, b) => b.ms - a.ms).slice(0, maxTold);
  const totals = new Map(dropped.map(({ partition, totalMs }) => [partition, totalMs]));
  for (const { partition, ms } of outages) totals.set(partition, (totals.get(partition) ?? 0) + ms);
  // One death is an outage of many partitions at once: added up they would be longer than it took.
  const [worst = 0, totalMs = 0] = [...totals].sort(([, a], [, b]) => b - a)[0] ?? [];
  return {
    count: dropped.reduce((sum, { count }) => sum + count, outages.length),
    totalMs,
    worst,
    maxMs: longest[0]?.ms ?? 0,
    floorMs: ackFloorMs,
    longest: longest.sort((a, b) => a.at - b.at),
  };
}
