import { expect, test } from 'vitest';
import { countedMs, type TakenKill, takeKill } from '../../src/experiment/kill-budget.ts';

test('as many kills as an hour has, whoever asks; the next when the oldest is an hour ago', () => {
  let taken: TakenKill[] = [];
  const ask = (key: string, at: number) => {
    const next = takeKill(taken, { key, perHour: 2 }, at);
    taken = next.taken;
    return next.answer;
  };
  expect(ask('a#0', 0)).toEqual({ granted: true });
  expect(ask('b#0', 1_000)).toEqual({ granted: true });
  expect(ask('c#0', 2_000)).toEqual({ granted: false, freeAt: countedMs });
  expect(ask('c#0', countedMs - 1)).toEqual({ granted: false, freeAt: countedMs });
  expect(ask('c#0', countedMs)).toEqual({ granted: true });
  expect(ask('d#0', countedMs)).toEqual({ granted: false, freeAt: countedMs + 1_000 });
});

test('the same kill is counted once, however often it is asked for', () => {
  const first = takeKill([], { key: 'a#0', perHour: 1 }, 0);
  expect(takeKill(first.taken, { key: 'a#0', perHour: 1 }, 5_000)).toEqual({
    answer: { granted: true },
    taken: first.taken,
  });
});

test('a limit that was lowered meanwhile waits for as many as are too many', () => {
  const taken = [0, 1_000, 2_000].map((at) => ({ key: `k${at}`, at }));
  expect(takeKill(taken, { key: 'n', perHour: 1 }, 3_000).answer).toEqual({
    granted: false,
    freeAt: 2_000 + countedMs,
  });
});
