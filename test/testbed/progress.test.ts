import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { step } from '../../testbed/progress.ts';

const lines: string[] = [];

// Vitest's fake clock does not reach this module by itself.
vi.mock('node:timers/promises', () => ({
  setTimeout: (ms: number) => new Promise((resolve) => globalThis.setTimeout(resolve, ms)),
}));

beforeEach(() => {
  lines.length = 0;
  vi.useFakeTimers();
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    lines.push(String(text).trim());
    return true;
  });
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

it('says of steps inside one another only that the innermost goes on', async () => {
  const work = step('testbed up', async () => {
    await step('image java', () => step('root file system', () => delay(40_000)));
    await delay(20_000);
  });
  await vi.advanceTimersByTimeAsync(60_000);
  await work;
  expect(lines).toEqual([
    '… root file system (15.0 s)',
    '… root file system (30.0 s)',
    '✓ root file system (40.0 s)',
    '✓ image java (40.0 s)',
    '… testbed up (45.0 s)',
    '✓ testbed up (60.0 s)',
  ]);
});

it('blames the innermost step for a failure, once, and the outer one for its own', async () => {
  const failing = (what: string) =>
    step(what, async () => {
      throw new Error(what);
    });
  await step('up', async () => {
    await step('nodes', () => failing('node-1')).catch(() => {});
    throw new Error('not whole');
  }).catch(() => {});
  expect(lines).toEqual(['✗ node-1 (0.0 s)', '✗ up (0.0 s)']);
});

it('says nothing of a quick step', async () => {
  expect(await step('quick', async () => 7)).toBe(7);
  expect(lines).toEqual([]);
});
