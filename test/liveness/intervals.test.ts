import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addToIntervals, countOf, difference, firstOf } from '../../src/liveness/intervals.ts';
import type { Intervals } from '../../src/liveness/protocol.ts';

const numbers = fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 60 });

function intervalsOf(values: number[]): Intervals {
  const intervals: Intervals = [];
  for (const value of values) addToIntervals(intervals, value);
  return intervals;
}

function numbersIn(intervals: Intervals): number[] {
  return firstOf(intervals, Number.MAX_SAFE_INTEGER);
}

test('hold exactly what was added, ascending and untouching', () => {
  fc.assert(
    fc.property(numbers, (values) => {
      const intervals = intervalsOf(values);
      expect(numbersIn(intervals)).toEqual([...new Set(values)].sort((a, b) => a - b));
      for (const [index, [from]] of intervals.entries()) {
        const before = intervals[index - 1];
        if (before) expect(from).toBeGreaterThan(before[1] + 1);
      }
    }),
  );
});

test('say whether a number was there already', () => {
  fc.assert(
    fc.property(numbers, (values) => {
      const intervals: Intervals = [];
      const seen = new Set<number>();
      for (const value of values) {
        expect(addToIntervals(intervals, value)).toBe(!seen.has(value));
        seen.add(value);
      }
      expect(countOf(intervals)).toBe(seen.size);
    }),
  );
});

test('the difference is that of sets', () => {
  fc.assert(
    fc.property(numbers, numbers, (a, b) => {
      const rest = [...new Set(a)].filter((value) => !b.includes(value)).sort((x, y) => x - y);
      expect(numbersIn(difference(intervalsOf(a), intervalsOf(b)))).toEqual(rest);
    }),
  );
});
