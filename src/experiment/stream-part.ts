import type { PartitionChanges } from './partition-changes.ts';
import type { StreamSeries } from './series.ts';

/** Below this a run has no parts: the series of the whole run has steps of two seconds then. ms */
const shortestMs = 15 * 60_000;

/** Those of a day are below 1 MiB together. */
const mostParts = 24;

/** How long the parts of a run are of which it is known how long its kills take; undefined where it has none. ms */
export function partMs(durationMs: number): number | undefined {
  return durationMs > shortestMs ? Math.max(shortestMs, durationMs / mostParts) : undefined;
}

/** A stream that took long to become steady would make the rest of a picture small. ms */
const beforeKillsMs = 10_000;

/** From when on a run's stream is taken over, epoch ms: a little before its first kill at `steadyAt`. */
export function streamFrom(steadyAt: number): number {
  return steadyAt - beforeKillsMs;
}

/** What a run's history holds of one stretch of it, below 64 KiB. Absent = not observed. */
export interface StreamPart {
  /** In finer steps than the series of the whole run; of a short run there is that one alone. */
  series?: StreamSeries;
  changes?: PartitionChanges;
}
