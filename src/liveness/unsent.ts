import { newSeconds } from './seconds.ts';
import type { SideRequest } from './series.ts';
import { type Apart, pairsOf, type SpreadPairs, spreadApart } from './spread.ts';

/**
 * How long records waited whose send failed: nobody sends them again, but a stream that has to deliver them could not have done so
 * before their partition took others. Without them, the latency of an outage would be that of the records that came through it.
 */
export interface Unsent {
  /** Records that were due then, epoch ms, could not be sent. */
  failed(partition: number, due: readonly number[]): void;
  /** The partition takes records again. */
  served(partition: number): void;
  /** The stream has been stopped: what still waits has waited until now, and no longer. */
  end(): void;
  /** What was due inside the spans and outside; what still waits, up to now or the end. */
  report(request: SideRequest): Apart<SpreadPairs>;
}

/** Keeps them by the second in which they were due. */
export function unsentRecords(clock: () => number = Date.now): Unsent {
  const over = newSeconds();
  /** Partition → epoch ms → records. */
  const waiting = new Map<number, Map<number, number>>();
  const second = (ms: number) => Math.floor(ms / 1_000);
  let endedAt: number | undefined;
  return {
    failed(partition, due) {
      const own = waiting.get(partition) ?? new Map<number, number>();
      waiting.set(partition, own);
      for (const at of due) own.set(at, (own.get(at) ?? 0) + 1);
    },
    served(partition) {
      const now = clock();
      for (const [at, count] of waiting.get(partition) ?? [])
        over.latency(second(at), waited(at, now), count);
      waiting.delete(partition);
    },
    end() {
      endedAt ??= clock();
    },
    report(request) {
      const now = endedAt ?? clock();
      const apart = spreadApart(request);
      for (const part of over.parts()) apart.take(part.second, part.eachLatency);
      for (const own of waiting.values())
        for (const [at, count] of own) apart.take(second(at), (visit) => visit(waited(at, now), count));
      return pairsOf(apart);
    },
  };
}

function waited(due: number, now: number): number {
  return Math.max(0, Math.round(now - due));
}
