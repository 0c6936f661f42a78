import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { showOnRun } from '../../src/activities/show-on-run.ts';

const run = { temporalNamespace: 'default', workflowId: 'w', runId: 'r' };

beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
});

afterEach(() => {
  vi.useRealTimers();
});

function shown(showProgress = vi.fn(async () => {})) {
  const beaten: string[][] = [];
  const warn = vi.fn();
  const progress = showOnRun({ showProgress, log: { info: vi.fn(), warn } }, run, 'provision', (lines) =>
    beaten.push(lines),
  );
  return { progress, showProgress, beaten, warn };
}

test('what is said is shown at once, then what changed, fifteen seconds apart', () => {
  const { progress, showProgress, beaten } = shown();
  progress(['a']);
  progress(['b']);
  vi.setSystemTime(14_000);
  progress(['b']);
  expect(showProgress).toHaveBeenCalledOnce();
  vi.setSystemTime(15_000);
  progress(['b']);
  expect(beaten).toEqual([['a'], ['b'], ['b'], ['b']]);
  expect(showProgress.mock.calls).toEqual([
    [run, { step: 'provision', lines: ['a'] }],
    [run, { step: 'provision', lines: ['b'] }],
  ]);
});

test('a run that cannot be shown anything is no reason for the step to fail', async () => {
  const { progress, warn } = shown(
    vi.fn(async () => {
      throw new Error('the server is away');
    }),
  );
  progress(['a']);
  await vi.waitFor(() => expect(warn).toHaveBeenCalledOnce());
});
