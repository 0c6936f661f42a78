import type { Kind, Planned } from './protocol.ts';

/** Outages from the shortest to the longest, evenly on a logarithmic scale. ms */
const shortestMs = 50;

/** One delay after so many outages. */
const outagesPerDelay = 5;

/** A delay is in force for so much longer than it is long: until then nobody can tell it from an outage. ms */
const steadyMs = 500;

/** Added delays, one after the other: from hardly felt to longer than a client's patience. ms */
const delaysMs = [20, 100, 300, 1_000, 2_500];

/**
 * What is to be done, in order: `count` outages up to `longestMs`, kinds in turn, short and long mixed (the same order each time),
 * with delays among them.
 */
export function makePlan(options: { count: number; longestMs: number; kinds: Kind[] }): Planned[] {
  const { count, longestMs, kinds } = options;
  const outages = Array.from({ length: count }, (_, index) => {
    // A step that is prime to the count visits each length once, far from its neighbours.
    const place = (index * strideFor(count)) % count;
    const ms = shortestMs * (longestMs / shortestMs) ** (count > 1 ? place / (count - 1) : 0);
    return { kind: kinds[index % kinds.length] ?? 'black-hole', ms: Math.round(ms) };
  });
  return outages.flatMap((outage, index): Planned[] => {
    if (index % outagesPerDelay !== outagesPerDelay - 1) return [outage];
    const delayMs = delaysMs[Math.floor(index / outagesPerDelay) % delaysMs.length] ?? 100;
    return [outage, { kind: 'delay', ms: delayMs + steadyMs, delayMs }];
  });
}

function strideFor(count: number): number {
  const common = (a: number, b: number): number => (b === 0 ? a : common(b, a % b));
  let stride = Math.max(1, Math.round(count * 0.382));
  while (common(stride, count) !== 1) stride++;
  return stride;
}
