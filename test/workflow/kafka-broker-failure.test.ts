import type { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Activities } from '../../src/activities/contract.ts';
import { experimentSchema } from '../../src/experiment/spec.ts';
import { failing, healthy, last, planOf, runStory, type Seen, timeSkippingServer } from './story-support.ts';

let env: TestWorkflowEnvironment;
let seen: Seen;

beforeAll(async () => {
  env = await timeSkippingServer();
});

afterAll(async () => {
  await env.teardown();
});

beforeEach(() => {
  seen = { calls: [], acts: [] };
});

const everyFour = { durationSeconds: 12, intervalSeconds: 4 };

/** Deadlines of the acts, in seconds after the first. */
function rhythm(): number[] {
  const first = seen.acts[0]?.deadline ?? 0;
  return seen.acts.map(({ deadline }) => (deadline - first) / 1_000);
}

test('60 s / 20 s: kills at 0, 20 and 40 s, in the order of the story, Pass', async () => {
  const { result } = await runStory(env, healthy(env, seen));
  expect(result?.verdict).toBe('Pass');
  expect(rhythm()).toEqual([0, 20, 40]);
  const round = ['aim', 'kill', 'prove'];
  expect(seen.calls).toEqual([
    ...['resolve', 'provision', 'annotate', 'startLiveness'],
    ...[...round, ...round, ...round],
    ...['closeStream', 'cleanUp', 'record'],
  ]);
  expect(result?.timeline.map(({ text }) => text)).toContain('a note');
  expect(result).toEqual(seen.recorded);
});

test('steps beat no oftener than it takes to replace a dead worker before the next kill', async () => {
  const schedule = { durationSeconds: 40, intervalSeconds: 40 };
  const { handle } = await runStory(env, healthy(env, seen, {}, schedule));
  const { events } = await handle.fetchHistory();
  const timeouts = (events ?? []).flatMap(({ activityTaskScheduledEventAttributes: step }) =>
    step ? [[step.activityType?.name, Number(step.heartbeatTimeout?.seconds)]] : [],
  );
  expect(Object.fromEntries(timeouts)).toMatchObject({
    ...{ provision: 10, startLiveness: 10, closeStream: 30 },
    // A kill that is late by half an interval is still made.
    ...{ aim: 10, kill: 5, prove: 20 },
  });
});

test('the limits of the spec decide, and the result holds the lines that they came to', async () => {
  const base = healthy(env, seen);
  const resolve: Activities['resolve'] = async (input) => {
    const resolved = await base.resolve(input);
    const { slo } = experimentSchema.parse({ slo: { consumerSilenceMs: 499 } });
    return { ...resolved, specHash: 'feedc0ffee', experiment: { ...resolved.experiment, slo } };
  };
  const { result } = await runStory(env, { ...base, resolve }, undefined);
  expect(result).toMatchObject({ verdict: 'Fail', specHash: 'feedc0ffee' });
  const deciding = result?.lines?.filter(({ leadsTo }) => leadsTo === 'Fail');
  expect(deciding).toMatchObject([{ id: 'consumer-silence', limit: 499, value: 500, origin: 'spec' }]);
});

test('a slow proof does not shift the next deadline', async () => {
  const slow: Activities['prove'] = async ({ plan }) => {
    if (plan.index === 0) await last(5);
    return { proven: true, evidence: [] };
  };
  await runStory(env, healthy(env, seen, { prove: slow }, everyFour));
  expect(rhythm()).toEqual([0, 4, 8]);
});

test('a kill that cannot begin within half an interval of its deadline is skipped, and the run is Inconclusive', async () => {
  const late: Activities['prove'] = async ({ plan }) => {
    if (plan.index === 0) await last(7);
    return { proven: true, evidence: [] };
  };
  const { result } = await runStory(env, healthy(env, seen, { prove: late }, everyFour));
  expect(rhythm()).toEqual([0, 8]);
  expect(result?.kills.map(({ status }) => status)).toEqual(['proven', 'skipped', 'proven']);
  expect(result?.kills[1]?.reason).toContain('more than 2 s');
  expect(result?.verdict).toBe('Inconclusive');
});

test('a kill that is late by less is made, unless the experiment skips it', async () => {
  const everyEight = { durationSeconds: 16, intervalSeconds: 8 };
  const late: Activities['prove'] = async ({ plan }) => {
    if (plan.index === 0) await last(10);
    return { proven: true, evidence: [] };
  };
  await runStory(env, healthy(env, seen, { prove: late }, everyEight));
  expect(rhythm()).toEqual([0, 8]);
  const steps = healthy(env, seen, { prove: late }, { ...everyEight, late: 'skip' });
  const { result } = await runStory(env, steps);
  expect(result?.kills.map(({ status }) => status)).toEqual(['proven', 'skipped']);
  expect(result?.kills[1]?.reason).toContain('more than 1 s');
});

test('a leadership that moved before the deadline is aimed at anew', async () => {
  let moves = 0;
  const base = healthy(env, seen);
  const kill: Activities['kill'] = async (request) => {
    if (moves++ < 2) return { outcome: 'moved', reason: 'leadership moved to 1', at: 0 };
    return await base.kill(request);
  };
  const { result } = await runStory(
    env,
    healthy(env, seen, { kill }, { durationSeconds: 20, intervalSeconds: 20 }),
  );
  expect(result?.kills[0]).toMatchObject({ status: 'proven', retargets: 2 });
});

test('what the guard had a kill wait is not lost when its target then moves', async () => {
  const waits: (number | undefined)[] = [];
  const base = healthy(env, seen);
  const aim: Activities['aim'] = async ({ index, deadline, waited }) => {
    waits.push(waited?.guardWaitMs);
    const guardWaitMs = (waited?.guardWaitMs ?? 0) + 1_000;
    return { outcome: 'aimed', plan: { ...planOf(index, deadline), guardWaitMs, guardReasons: ['down'] } };
  };
  const kill: Activities['kill'] = async (request) =>
    waits.length < 3 ? { outcome: 'moved', reason: 'leadership moved to 1', at: 0 } : base.kill(request);
  const activities = healthy(env, seen, { aim, kill }, { durationSeconds: 20, intervalSeconds: 20 });
  const { result } = await runStory(env, activities);
  expect(waits).toEqual([undefined, 1_000, 2_000]);
  expect(result?.kills[0]?.plan).toMatchObject({ guardWaitMs: 3_000 });
});

test('a fault that needs long to get ready is aimed that much before its deadline', async () => {
  const leads: number[] = [];
  const schedule = { durationSeconds: 60, intervalSeconds: 30 };
  const base = healthy(env, seen, {}, schedule);
  const resolve: Activities['resolve'] = async (input) => ({ ...(await base.resolve(input)), leadMs: 8_000 });
  const aim: Activities['aim'] = async (request) => {
    leads.push(request.deadline - (await env.currentTimeMs()));
    return await base.aim(request);
  };
  await runStory(env, healthy(env, seen, { resolve, aim }, schedule));
  expect(leads).toHaveLength(2);
  // The timer's own; the usual lead is a second.
  expect(leads[1]).toBeGreaterThan(5_000);
  expect(leads[1]).toBeLessThanOrEqual(8_000);
});

test('after a kill that came late the next one keeps half an interval away from it', async () => {
  const asked: (number | undefined)[] = [];
  const base = healthy(env, seen);
  const steps: Partial<Activities> = {
    aim: async (request) => {
      asked.push(request.notBefore && request.notBefore - request.deadline);
      return await base.aim(request);
    },
    kill: async ({ plan }) => {
      const requestedAt = plan.deadline + (plan.index === 0 ? 15_000 : 0);
      return {
        outcome: 'deleted',
        requestedAt,
        answeredAt: requestedAt,
        gracePeriodSeconds: 30,
        repeated: false,
      };
    },
  };
  await runStory(env, healthy(env, seen, steps));
  // Kills are 20 s apart: 15 s late leaves 5 s.
  expect(asked).toEqual([undefined, 5_000, undefined]);
});

test('a leadership that never rests ends in a skipped kill, not in an endless chase', async () => {
  const kill: Activities['kill'] = async () => ({ outcome: 'moved', reason: 'again', at: 0 });
  const { result } = await runStory(
    env,
    healthy(env, seen, { kill }, { durationSeconds: 20, intervalSeconds: 20 }),
  );
  expect(result?.kills[0]).toMatchObject({
    status: 'skipped',
    reason: 'the target moved 6 times; at last again',
  });
  expect(seen.calls.filter((name) => name === 'kill')).toHaveLength(6);
  expect(result?.verdict).toBe('Inconclusive');
});

test('a stream that has ended stops the kills; what it showed decides', async () => {
  const aim: Activities['aim'] = async ({ index, deadline }) =>
    index === 0
      ? { outcome: 'aimed', plan: planOf(index, deadline) }
      : { outcome: 'stream-ended', reason: 'container kafka-consumer ended' };
  const closeStream: Activities['closeStream'] = async () => ({
    livenessPod: { state: 'gone' },
    isrFullAtEnd: true,
    recoveries: [],
  });
  const { result } = await runStory(env, healthy(env, seen, { aim, closeStream }));
  expect(seen.acts).toHaveLength(1);
  expect(result?.verdict).toBe('Inconclusive');
  expect(result?.reasons[0]).toContain('deleted by somebody else');
});

test('a recovery that the watch did not see is filled in from the closing step', async () => {
  const base = healthy(env, seen);
  const closeStream: Activities['closeStream'] = async (request) => ({
    ...(await base.closeStream(request)),
    recoveries: [{ index: 1, timeToFullIsrMs: 21_000 }],
  });
  const { result } = await runStory(env, healthy(env, seen, { closeStream }));
  expect(result?.kills.map(({ proof }) => proof?.timeToFullIsrMs)).toEqual([undefined, 21_000, undefined]);
});

test.each([
  ['provision', 'PLAN_FATAL', 'provision'],
  ['annotate', 'TARGET_NOT_FOUND', 'annotate'],
  ['startLiveness', 'POD_WAITING', 'liveness'],
  ['aim', 'BROKER_UNMAPPED', 'kill'],
  ['kill', 'KUBERNETES_REFUSED', 'kill'],
  ['prove', 'INTERNAL', 'kill'],
  ['closeStream', 'INTERNAL', 'evaluate'],
] as const)(
  '%s fails: Error with its code and step, and everything is cleaned up',
  async (name, code, step) => {
    const { error } = await runStory(env, healthy(env, seen, { [name]: failing(code, step) }));
    const cause = (error as WorkflowFailedError).cause as ApplicationFailure;
    expect(cause).toBeInstanceOf(ApplicationFailure);
    expect(cause.type).toBe(code);
    expect(seen.calls.slice(-2)).toEqual(['cleanUp', 'record']);
    expect(seen.recorded).toMatchObject({ verdict: 'Error', failStep: step, problem: { code } });
  },
);

test('resolve fails: nothing was made, so nothing is cleaned up, and the result is recorded all the same', async () => {
  await runStory(env, healthy(env, seen, { resolve: failing('INPUT_INVALID', 'resolve') }));
  expect(seen.calls).toEqual(['resolve', 'record']);
  expect(seen.recorded).toMatchObject({
    verdict: 'Error',
    failStep: 'resolve',
    problem: { code: 'INPUT_INVALID' },
  });
});

test('a stream that cannot be closed for twenty minutes is closed after that, for its pod is there until the run expires', async () => {
  const base = healthy(env, seen);
  let away: number | undefined;
  const steps: Partial<Activities> = {
    resolve: async (input) => ({
      ...(await base.resolve(input)),
      expires: (await env.currentTimeMs()) + 3_600_000,
    }),
    closeStream: async (request) => {
      const now = await env.currentTimeMs();
      away ??= now + 1_200_000;
      if (now < away) throw ApplicationFailure.retryable('no answer');
      return await base.closeStream(request);
    },
  };
  const { result } = await runStory(env, { ...base, ...steps });
  expect(result?.verdict).toBe('Pass');
});

test('it is given up when the run has only the time left that clean-up may need', async () => {
  const base = healthy(env, seen);
  const expires = (await env.currentTimeMs()) + 3_600_000;
  let last = 0;
  const steps: Partial<Activities> = {
    resolve: async (input) => ({ ...(await base.resolve(input)), expires }),
    closeStream: async () => {
      last = await env.currentTimeMs();
      throw ApplicationFailure.retryable('no answer');
    },
  };
  await runStory(env, { ...base, ...steps });
  expect(seen.recorded?.verdict).toBe('Error');
  expect(expires - last).toBeGreaterThanOrEqual(1_800_000);
  expect(expires - last).toBeLessThan(1_900_000);
});

test('a clean-up that cannot be finished keeps the verdict and says what may be left', async () => {
  const { result } = await runStory(env, healthy(env, seen, { cleanUp: failing('INTERNAL', 'clean-up') }));
  expect(result?.verdict).toBe('Pass');
  expect(result?.leftovers).toEqual([
    { kind: 'Run', name: 'r', namespace: 'kafka', reason: 'clean-up went wrong' },
  ]);
});
