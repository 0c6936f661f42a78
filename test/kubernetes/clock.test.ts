import { expect, test } from 'vitest';
import { aheadOf } from '../../src/kubernetes/rest.ts';

const there = 'Mon, 23 Nov 2026 12:00:00 GMT';
const noon = Date.parse(there);

test.each([
  ['the same clock, anywhere in that second', noon + 900, noon + 950, 425],
  ['a clock that is five minutes ahead', noon + 300_000, noon + 300_100, 299_550],
  ['a clock that is five minutes behind', noon - 300_000, noon - 299_900, -300_450],
  ['an answer that took too long to tell', noon, noon + 1_001, undefined],
])('%s', (_, asked, answered, ahead) => {
  expect(aheadOf(there, asked, answered)).toBe(ahead);
});

test('a server that does not tell its time', () => {
  expect(aheadOf(null, noon, noon)).toBeUndefined();
});
