import type { WorkflowHandle } from '@temporalio/client';
import { WorkflowFailedError } from '@temporalio/client';
import { CancelledFailure } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Activities } from '../../src/activities/contract.ts';
import { healthy, runStory, type Seen, timeSkippingServer, untilCancelled } from './story-support.ts';

/** Stories that somebody stops. */
let env: TestWorkflowEnvironment;
let seen: Seen;
let handle: PromiseWithResolvers<WorkflowHandle>;

beforeEach(async () => {
  env = await timeSkippingServer();
  seen = { calls: [], acts: [] };
  handle = Promise.withResolvers();
});

afterEach(async () => {
  await env.teardown();
});

/** Runs a story in which some steps do something else. */
async function story(overrides: Partial<Activities>) {
  return await runStory(env, healthy(env, seen, overrides), async (started) => handle.resolve(started));
}

test('cancelled in the middle: no further kill, clean-up and record run, the run is Canceled with verdict Stopped', async () => {
  const { error } = await runStory(env, healthy(env, seen, { prove: untilCancelled }), async (handle) => {
    await expect.poll(() => seen.calls.includes('prove'), { timeout: 20_000 }).toBe(true);
    await handle.cancel();
  });
  expect(error).toBeInstanceOf(WorkflowFailedError);
  expect((error as WorkflowFailedError).cause).toBeInstanceOf(CancelledFailure);
  expect(seen.acts).toHaveLength(1);
  expect(seen.calls.slice(-2)).toEqual(['cleanUp', 'record']);
  expect(seen.recorded?.verdict).toBe('Stopped');
});

test('abort ends the chaos at once with who and why; the run ends as Canceled', async () => {
  const base = healthy(env, seen);
  const record: Activities['record'] = async (request) => {
    // What the worker does when it is told to: a workflow cannot cancel itself.
    if (request.cancelRun) await (await handle.promise).cancel();
    return await base.record(request);
  };
  const prove: Activities['prove'] = async () => {
    const asked = { actor: 'ann', reason: 'a release' };
    await (await handle.promise).executeUpdate('abort', { args: [asked] });
    return await untilCancelled();
  };
  const { error } = await story({ prove, record });
  expect((error as WorkflowFailedError).cause).toBeInstanceOf(CancelledFailure);
  expect(seen.acts).toHaveLength(1);
  expect(seen.recorded).toMatchObject({ verdict: 'Stopped', reasons: ['stopped by ann: a release'] });
  expect(seen.calls).toContain('cleanUp');
});

test('the signal abort stops too, whatever its input', async () => {
  const prove: Activities['prove'] = async () => {
    await (await handle.promise).signal('abort', 42);
    return await untilCancelled();
  };
  await story({ prove });
  expect(seen.recorded?.reasons).toEqual(['stopped by not given: not given']);
});

test('a kill that meets a lock ends the run as an abort would, with who locked and why', async () => {
  const base = healthy(env, seen);
  const kill: Activities['kill'] = async () => ({
    outcome: 'locked',
    by: { actor: 'ann', reason: 'a release' },
  });
  const record: Activities['record'] = async (request) => {
    if (request.cancelRun) await (await handle.promise).cancel();
    return await base.record(request);
  };
  const { error } = await story({ kill, record });
  expect((error as WorkflowFailedError).cause).toBeInstanceOf(CancelledFailure);
  expect(seen.calls.filter((name) => name === 'kill')).toHaveLength(1);
  expect(seen.calls).toContain('cleanUp');
  expect(seen.recorded).toMatchObject({ verdict: 'Stopped', reasons: ['stopped by ann: a release'] });
});
