import { build, type Histogram } from 'hdr-histogram-js';
import type { Latency } from '../experiment/stream-report.ts';

/** Records whole milliseconds up to an hour with three significant digits. */
export function latencyRecorder(): { record(ms: number, count?: number): void; summary(): Latency } {
  const histogram: Histogram = build({ highestTrackableValue: 3_600_000, numberOfSignificantValueDigits: 3 });
  return {
    record: (ms, count = 1) =>
      histogram.recordValueWithCount(Math.min(Math.max(0, Math.round(ms)), 3_600_000), count),
    summary: () => ({
      p50: histogram.getValueAtPercentile(50),
      p99: histogram.getValueAtPercentile(99),
      max: histogram.maxValue,
      count: histogram.totalCount,
    }),
  };
}

/** Counts events of the last full second. */
export function rateMeter(now: () => number = Date.now): { add(count: number): void; perSecond(): number } {
  let second = Math.floor(now() / 1_000);
  let current = 0;
  let last = 0;
  const roll = () => {
    const at = Math.floor(now() / 1_000);
    if (at === second) return;
    last = at === second + 1 ? current : 0;
    current = 0;
    second = at;
  };
  return {
    add: (count) => {
      roll();
      current += count;
    },
    perSecond: () => {
      roll();
      return last;
    },
  };
}

/** Visits records by when they were due, those in a row of the same millisecond together. */
export function eachMillisecond(due: readonly number[], visit: (at: number, records: number) => void): void {
  let from = 0;
  for (let index = 1; index <= due.length; index++) {
    const at = due[from] ?? 0;
    if (due[index] === at) continue;
    visit(at, index - from);
    from = index;
  }
}
