import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { afterSeconds, insist } from '../../src/cli/time-limit.ts';

const monthSeconds = 30 * 24 * 3_600;

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

test('a limit holds for as long as it says, also for longer than a timer of Node’s can', () => {
  let over = 0;
  afterSeconds(monthSeconds, () => over++);
  vi.advanceTimersByTime(monthSeconds * 1_000 - 1);
  expect(over).toBe(0);
  vi.advanceTimersByTime(1);
  expect(over).toBe(1);
  vi.advanceTimersByTime(monthSeconds * 1_000);
  expect(over).toBe(1);
});

test('a limit is called off at any time; without one nothing is waited for', () => {
  let over = 0;
  const callOff = afterSeconds(monthSeconds, () => over++);
  vi.advanceTimersByTime(monthSeconds * 1_000 - 1);
  callOff();
  afterSeconds(undefined, () => over++)();
  expect(vi.getTimerCount()).toBe(0);
  vi.advanceTimersByTime(monthSeconds * 1_000);
  expect(over).toBe(0);
});

test('what does not get through is done again until it does, or nobody wants it any more', async () => {
  const failures: unknown[] = [];
  const failed = (error: unknown) => void failures.push(error);
  let attempts = 0;
  const third = async () => {
    if (++attempts < 3) throw attempts;
  };
  await insist(third, { signal: new AbortController().signal, failed, everyMs: 1 });
  expect([attempts, failures]).toEqual([3, [1, 2]]);

  const left = new AbortController();
  const never = async () => {
    if (++attempts === 5) left.abort();
    throw attempts;
  };
  await insist(never, { signal: left.signal, failed, everyMs: 1 });
  expect(failures).toEqual([1, 2, 4]);
});
