import type { Intervals } from './protocol.ts';

/** Adds one number to ascending, untouching, inclusive ranges. False where it was in there. Appending is constant time. */
export function addToIntervals(intervals: Intervals, value: number): boolean {
  let at = intervals.length - 1;
  while (at >= 0 && (intervals[at]?.[0] ?? 0) > value) at--;
  const before = intervals[at];
  const after = intervals[at + 1];
  if (before && value <= before[1]) return false;
  const touchesBefore = before !== undefined && before[1] === value - 1;
  const touchesAfter = after !== undefined && after[0] === value + 1;
  if (touchesBefore && touchesAfter) {
    before[1] = after[1];
    intervals.splice(at + 1, 1);
  } else if (touchesBefore) before[1] = value;
  else if (touchesAfter) after[0] = value;
  else intervals.splice(at + 1, 0, [value, value]);
  return true;
}

/** How many numbers the ranges hold. */
export function countOf(intervals: Intervals): number {
  return intervals.reduce((sum, [from, to]) => sum + to - from + 1, 0);
}

/** What is in `from` and not in `without`. */
export function difference(from: Intervals, without: Intervals): Intervals {
  const rest: Intervals = [];
  let at = 0;
  for (const [start, end] of from) {
    let next = start;
    while (at < without.length && (without[at]?.[1] ?? 0) < start) at++;
    for (let index = at; index < without.length && (without[index]?.[0] ?? 0) <= end; index++) {
      const [hole, holeEnd] = without[index] ?? [0, 0];
      if (hole > next) rest.push([next, hole - 1]);
      next = Math.max(next, holeEnd + 1);
    }
    if (next <= end) rest.push([next, end]);
  }
  return rest;
}

/** The first few numbers of ranges. */
export function firstOf(intervals: Intervals, count: number): number[] {
  const found: number[] = [];
  for (const [from, to] of intervals) {
    for (let value = from; value <= to; value++) {
      if (found.length === count) return found;
      found.push(value);
    }
  }
  return found;
}
