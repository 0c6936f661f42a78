import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { expect, test } from 'vitest';
import type { Activities } from '../../src/activities/contract.ts';
import { eachOnItsOwnServer, env, seen } from './each-story.ts';
import { failing, healthy, runStory, untilCancelled } from './story-support.ts';

/** Runs of which nobody has heard whether they took the claim. */
eachOnItsOwnServer();

const noAnswer = () => Promise.reject(ApplicationFailure.retryable('no answer'));

test('a run that is stopped before resolve has answered gives up the claim that it may have taken', async () => {
  const asked: unknown[] = [];
  const releaseClaim: Activities['releaseClaim'] = async ({ input }) => {
    asked.push(input);
    return { leftovers: [], done: ['claim released'] };
  };
  const steps = { resolve: untilCancelled, releaseClaim };
  const { error } = await runStory(env, healthy(env, seen, steps), async (run) => {
    await expect.poll(() => seen.calls.includes('resolve'), { timeout: 20_000 }).toBe(true);
    await run.cancel();
  });
  expect((error as WorkflowFailedError).cause).toBeInstanceOf(CancelledFailure);
  expect(seen.calls).toEqual(['resolve', 'releaseClaim', 'record']);
  expect(asked).toEqual([{ cluster: { namespace: 'kafka' } }]);
  expect(seen.recorded).toMatchObject({ verdict: 'Stopped', leftovers: [] });
  expect(seen.recorded?.timeline.map(({ text }) => text)).toContain('claim released');
});

test('so does one whose resolve ran out of its time; what cannot be given up is told as left', async () => {
  const { error } = await runStory(
    env,
    healthy(env, seen, { resolve: noAnswer, releaseClaim: failing('KUBERNETES_REFUSED', 'clean-up') }),
  );
  expect(error).toBeInstanceOf(WorkflowFailedError);
  expect(seen.calls.slice(-2)).toEqual(['releaseClaim', 'record']);
  expect(seen.recorded).toMatchObject({
    verdict: 'Error',
    leftovers: [{ kind: 'Run', reason: 'clean-up went wrong' }],
  });
});

test('a cluster that does not answer keeps such a run for some minutes, not for hours', async () => {
  await runStory(env, healthy(env, seen, { resolve: noAnswer, releaseClaim: noAnswer }));
  expect(seen.calls.filter((name) => name === 'releaseClaim')).toHaveLength(10);
  expect(seen.recorded?.leftovers).toHaveLength(1);
});
