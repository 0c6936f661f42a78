import type { TimeSpan } from '../experiment/spans.ts';
import type { Latency } from '../experiment/stream-report.ts';

/** Latency in whole ms → records that had it. */
export type Spread = Map<number, number>;

/** Latencies of records that were due in a second that one of the asked spans touches, and of all others. */
export interface Apart<T = Spread> {
  inside: T;
  outside: T;
}

/** A spread as JSON has it. */
export type SpreadPairs = [ms: number, records: number][];

/** Calls back with each latency, ms, and how many records had it. */
type EachLatency = (visit: (latency: number, count: number) => void) => void;

/** Adds records with a latency to a spread. */
export function addTo(spread: Spread): (latency: number, count: number) => void {
  return (latency, count) => spread.set(latency, (spread.get(latency) ?? 0) + count);
}

/** Takes latencies by the second (epoch s) in which records were due; what was due before `since`, epoch ms, is left out. */
export function spreadApart({ spans, since }: { spans: readonly TimeSpan[]; since: number }): Apart & {
  take(second: number, eachLatency: EachLatency): void;
} {
  const inside: Spread = new Map();
  const outside: Spread = new Map();
  return {
    inside,
    outside,
    take(second, eachLatency) {
      const from = second * 1_000;
      if (from + 1_000 > since) eachLatency(addTo(touches(spans, from) ? inside : outside));
    },
  };
}

/** Whether a span touches the second that begins at that epoch ms. */
export function touches(spans: readonly TimeSpan[], second: number): boolean {
  return spans.some(({ from, to }) => from < second + 1_000 && to > second);
}

/** Both sides as JSON has them. */
export function pairsOf({ inside, outside }: Apart): Apart<SpreadPairs> {
  return { inside: [...inside], outside: [...outside] };
}

/** Exact figures of latencies; zeros where there are none. */
export function summaryOf(spread: Iterable<[number, number]>): Latency & { min: number } {
  const counted = [...spread].sort(([a], [b]) => a - b);
  const count = counted.reduce((sum, [, one]) => sum + one, 0);
  const atPercentile = (percentile: number): number => {
    let below = 0;
    const reached = counted.find(([, one]) => {
      below += one;
      return below >= (count * percentile) / 100;
    });
    return reached?.[0] ?? 0;
  };
  const [[min] = [0]] = counted;
  const [max] = counted.at(-1) ?? [0];
  return { min, p50: atPercentile(50), p99: atPercentile(99), max, count };
}
