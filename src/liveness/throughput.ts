import type { TimeSpan } from '../experiment/spans.ts';
import { touches } from './spread.ts';

/** Records a second inside spans and outside. */
export interface Throughput {
  /** So many records came in the second that begins at that epoch ms. */
  take(second: number, count: number): void;
  /**
   * How much the worst second of the spans lost against the median of all other seconds: 0 to 100 %. Undefined where there was none
   * inside or outside.
   */
  dipPercent(): number | undefined;
}

/** Of the stream between two epoch ms: seconds that are not wholly within, and those before `since`, do not count. */
export function throughput(
  { spans, since }: { spans: readonly TimeSpan[]; since: number },
  stream: TimeSpan,
): Throughput {
  const outside: number[] = [];
  let least: number | undefined;
  return {
    take(second, count) {
      // The record begins with a second, however late in it the first record came.
      if (second <= stream.from || second < since || second + 1_000 > stream.to) return;
      if (touches(spans, second)) least = Math.min(least ?? count, count);
      else outside.push(count);
    },
    dipPercent() {
      const usual = outside.sort((a, b) => a - b)[Math.floor(outside.length / 2)];
      if (least === undefined || !usual) return undefined;
      return Math.max(0, Math.round((1 - least / usual) * 100));
    },
  };
}
