import { WorkflowFailedError } from '@temporalio/client';
import { CancelledFailure } from '@temporalio/common';
import { Worker } from '@temporalio/worker';
import { expect, test } from 'vitest';
import type { Activities } from '../../src/activities/contract.ts';
import { workflowCode } from '../support/build.ts';
import { eachOnItsOwnServer, env, handle, seen } from './each-story.ts';
import { cancelling, failing, healthy, runStory, untilCancelled } from './story-support.ts';

/** Stories that somebody stops. */
eachOnItsOwnServer();

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
  const prove: Activities['prove'] = async () => {
    const asked = { actor: 'ann', reason: 'a release' };
    await (await handle.promise).executeUpdate('abort', { args: [asked] });
    return await untilCancelled();
  };
  const record = cancelling(healthy(env, seen), handle.promise);
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

test.each(['abort', 'cancel'])(
  'a step that fails for good while the run is stopped by %s leaves it Stopped, and is told beside it',
  async (way) => {
    const asked = { actor: 'ann', reason: 'a release' };
    const provision: Activities['provision'] = async () => {
      const run = await handle.promise;
      if (way === 'abort') await run.executeUpdate('abort', { args: [asked] });
      else await run.cancel();
      // It hears of the stop, and has failed nevertheless.
      await untilCancelled().catch(() => {});
      return await failing('PLAN_FATAL', 'provision')();
    };
    const record = cancelling(healthy(env, seen), handle.promise);
    const { error } = await story({ provision, record });
    expect((error as WorkflowFailedError).cause).toBeInstanceOf(CancelledFailure);
    expect(seen.calls).not.toContain('annotate');
    expect(seen.calls).toContain('cleanUp');
    const stopped = way === 'abort' ? 'stopped by ann: a release' : 'the run was cancelled';
    const failed = 'provision went wrong';
    expect(seen.recorded).toMatchObject({
      verdict: 'Stopped',
      reasons: [stopped, `meanwhile step provision failed: PLAN_FATAL: ${failed}`],
      problem: { code: 'PLAN_FATAL', step: 'provision', message: failed },
    });
    const told = seen.recorded?.timeline.map(({ text }) => text) ?? [];
    expect(told).toContain(`error: ${failed}`);
    expect(told).toContain(way === 'abort' ? stopped : 'cancelled');
  },
);

test('a kill that meets a lock ends the run as an abort would, with who locked and why', async () => {
  const kill: Activities['kill'] = async () => ({
    outcome: 'locked',
    by: { actor: 'ann', reason: 'a release' },
  });
  const record = cancelling(healthy(env, seen), handle.promise);
  const { error } = await story({ kill, record });
  expect((error as WorkflowFailedError).cause).toBeInstanceOf(CancelledFailure);
  expect(seen.calls.filter((name) => name === 'kill')).toHaveLength(1);
  expect(seen.calls).toContain('cleanUp');
  expect(seen.recorded).toMatchObject({ verdict: 'Stopped', reasons: ['stopped by ann: a release'] });
});

test('a stop that comes together with the answer of the last step still stops the run', async () => {
  const taskQueue = 'stopped-at-the-end';
  const common = { connection: env.nativeConnection, taskQueue };
  // A worker that keeps no story in memory, so that another one takes it over at once.
  const stories = async () =>
    Worker.create({ ...common, workflowBundle: await workflowCode(), maxCachedWorkflows: 0 });
  const first = await stories();
  const firstIsOver = first.run();
  const base = healthy(env, seen, {}, { durationSeconds: 2, intervalSeconds: 2 });
  const activities: Activities = {
    ...base,
    closeStream: async (request) => {
      first.shutdown();
      await firstIsOver;
      await (await handle.promise).signal('abort', { actor: 'ann', reason: 'a release' });
      return await base.closeStream(request);
    },
    record: cancelling(base, handle.promise),
  };
  const steps = await Promise.all(
    ['', '-critical'].map((suffix) =>
      Worker.create({ ...common, taskQueue: `${taskQueue}${suffix}`, activities }),
    ),
  );
  const running = Promise.all(steps.map((worker) => worker.run()));
  const args = [{ cluster: { namespace: 'kafka' } }];
  const run = await env.client.workflow.start('kafkaBrokerFailure', {
    taskQueue,
    workflowId: taskQueue,
    args,
  });
  handle.resolve(run);
  const ended = run.result().catch((error: unknown) => error);
  await firstIsOver;
  const bothAreThere = async () => {
    const { events = [] } = await run.fetchHistory();
    const scheduled = events?.find(
      (event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'closeStream',
    );
    return events?.some((event) =>
      event.activityTaskCompletedEventAttributes?.scheduledEventId?.equals(scheduled?.eventId ?? 0),
    );
  };
  await expect.poll(bothAreThere, { timeout: 20_000 }).toBe(true);
  const second = await stories();
  expect(((await second.runUntil(ended)) as WorkflowFailedError).cause).toBeInstanceOf(CancelledFailure);
  expect(seen.recorded).toMatchObject({ verdict: 'Stopped', reasons: ['stopped by ann: a release'] });
  for (const worker of steps) worker.shutdown();
  await running;
});
