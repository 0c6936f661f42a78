import { setTimeout as delay } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import type { Activities } from '../../src/activities/contract.ts';
import type { BrokenSlo } from '../../src/experiment/abort-on.ts';
import { type AskedKill, countedMs, type Taken, takeKillUpdate } from '../../src/experiment/kill-budget.ts';
import { maxKillsOfHistory } from '../../src/experiment/schedule.ts';
import { pauseOnMemo } from '../../src/experiment/scheduled.ts';
import { indexedValueTypes } from '../../src/experiment/search-attributes.ts';
import { workflowCode } from '../support/build.ts';
import { recordedPromotions } from './recorded-promotions.ts';
import { cancelling, failing, healthy, last, planOf, runStory, untilCancelled } from './story-support.ts';

/** Tells one story and gives the run to be recorded. */
type Tell = (env: TestWorkflowEnvironment) => Promise<WorkflowHandle>;

interface Path {
  steps?: (
    base: Activities,
    handle: Promise<WorkflowHandle>,
    env: TestWorkflowEnvironment,
  ) => Partial<Activities>;
  schedule?: { durationSeconds: number; intervalSeconds: number };
  /** Verdicts on which the schedule that starts it is paused; absent where a person does. */
  pauseOn?: string[];
}

/** A run of `kafkaBrokerFailure` in which some steps behave otherwise. */
function experiment({ steps = () => ({}), schedule, pauseOn }: Path = {}): Tell {
  return async (env) => {
    const started = Promise.withResolvers<WorkflowHandle>();
    const seen = { calls: [], acts: [] };
    const base = healthy(env, seen, {}, schedule);
    const activities = healthy(env, seen, steps(base, started.promise, env), schedule);
    if (pauseOn) {
      const searchAttributes = { TemporalScheduledById: indexedValueTypes.Keyword };
      await env.connection.operatorService.addSearchAttributes({ namespace: 'default', searchAttributes });
    }
    const start = pauseOn
      ? { searchAttributes: { TemporalScheduledById: ['nightly'] }, memo: { [pauseOnMemo]: pauseOn } }
      : {};
    const during = async (run: WorkflowHandle) => started.resolve(run);
    const { handle } = await runStory(env, activities, during, { start });
    return handle;
  };
}

const everyFour = { durationSeconds: 12, intervalSeconds: 4 };
const proven = { proven: true, evidence: ['gone'] };

/** Does something while the first kill is being proven. */
function whileProving(act: (run: WorkflowHandle) => Promise<unknown>): Path {
  return {
    steps: (_base, handle) => ({
      prove: async ({ plan }) => {
        if (plan.index === 0) await act(await handle);
        return proven;
      },
    }),
  };
}

const ask = (run: WorkflowHandle, request: string, input: object = { actor: 'ann', reason: 'a release' }) =>
  run.executeUpdate<string, [object]>(request, { args: [input] });

/** The answers of a kill's step are lost; a later look finds it made. */
async function answered(base: Activities, request: Parameters<Activities['kill']>[0]) {
  if (request.plan.index === 0 && !request.answerLost) throw new Error('the answer was lost');
  return await base.kill(request);
}

const broken: BrokenSlo = { id: 'producer-outage-max', value: 812, limit: 500, observedAt: 0 };

/** Begins a run that stops on one line. */
function abortOn(base: Activities): Pick<Activities, 'resolve'> {
  return {
    resolve: async (input) => {
      const resolved = await base.resolve(input);
      return { ...resolved, experiment: { ...resolved.experiment, abortOn: [broken.id] } };
    },
  };
}

/** The line is broken during the first of these steps, which goes on; one that only leads to a kill is then given up. */
function brokenDuring(step: 'aim' | 'prove'): Path {
  return {
    steps: (base) => {
      const seen = Promise.withResolvers<void>();
      return {
        ...abortOn(base),
        watchSlo: async () => {
          await Promise.race([seen.promise, untilCancelled()]);
          return broken;
        },
        [step]: async () => {
          seen.resolve();
          if (step === 'aim') return await untilCancelled();
          await last(1);
          return proven;
        },
      };
    },
  };
}

/** Every path of every workflow type, by the name of its history. */
export const recordedStories: Record<string, Tell> = {
  pass: experiment(),
  fail: experiment({
    steps: (base) => ({
      closeStream: async (request) => ({ ...(await base.closeStream(request)), isrFullAtEnd: false }),
    }),
  }),
  'late-kill-skipped': experiment({
    schedule: everyFour,
    steps: () => ({
      prove: async ({ plan }) => {
        if (plan.index === 0) await last(7);
        return proven;
      },
    }),
  }),
  'step-retried': experiment({
    steps: (base) => {
      let attempts = 0;
      return {
        provision: async (resolved) => {
          if (attempts++ === 0) throw new Error('the API server was away');
          return await base.provision(resolved);
        },
      };
    },
  }),
  'leadership-moved': experiment({
    steps: (base) => {
      let moves = 0;
      return {
        kill: async (request) =>
          moves++ === 0 ? { outcome: 'moved', reason: 'leadership moved', at: 0 } : await base.kill(request),
      };
    },
  }),
  'guard-skipped': experiment({
    steps: () => ({
      aim: async ({ index, deadline }) =>
        index === 1
          ? { outcome: 'skipped', reason: 'not all replicas are in sync' }
          : { outcome: 'aimed', plan: planOf(index, deadline) },
    }),
  }),
  'stream-ended': experiment({
    steps: () => ({
      aim: async ({ index, deadline }) =>
        index === 1
          ? { outcome: 'stream-ended', reason: 'container kafka-consumer ended' }
          : { outcome: 'aimed', plan: planOf(index, deadline) },
    }),
  }),
  // A part of the stream is begun right where the first history ends.
  'part-at-border': experiment({
    schedule: { durationSeconds: (maxKillsOfHistory + 1) * 19, intervalSeconds: 19 },
    steps: () => {
      let parts = 0;
      return { takePart: async ({ to }) => (parts++ === 0 ? {} : { until: to }) };
    },
  }),
  'claim-lost': experiment({
    steps: () => ({
      resolve: async () => {
        throw new Error('the API server was away');
      },
    }),
  }),
  'refused-at-once': experiment({ steps: () => ({ resolve: failing('INPUT_INVALID', 'resolve') }) }),
  error: experiment({ steps: () => ({ startLiveness: failing('POD_WAITING', 'liveness') }) }),
  'clean-up-failed': experiment({ steps: () => ({ cleanUp: failing('INTERNAL', 'clean-up') }) }),
  paused: experiment(
    whileProving(async (run) => {
      await ask(run, 'pause');
      await last(1);
      await ask(run, 'resume');
    }),
  ),
  steered: experiment(
    whileProving(async (run) => {
      await ask(run, 'skipNext');
      await ask(run, 'extend', { kills: 2 });
    }),
  ),
  'paused-past-reserve': experiment(whileProving(async (run) => await ask(run, 'pause'))),
  'kill-now': experiment({
    steps: (_base, handle, env) => ({
      prove: async ({ plan }) => {
        if (plan.index > 0) return proven;
        // While the next kill is waited for no step runs, and the server's clock would jump to its deadline.
        await env.connection.testService?.lockTimeSkipping({});
        void delay(500)
          .then(async () => await ask(await handle, 'killNow'))
          .finally(() => env.connection.testService?.unlockTimeSkipping({}));
        return proven;
      },
    }),
  }),
  locked: experiment({
    steps: (base, handle) => ({
      kill: async () => ({ outcome: 'locked', by: { actor: 'ann', reason: 'a release' } }),
      record: cancelling(base, handle),
    }),
  }),
  'lost-kill-settled': experiment({
    steps: (base) => ({ kill: async (request) => await answered(base, request) }),
  }),
  'lost-kill-unknown': experiment({
    schedule: { durationSeconds: 60, intervalSeconds: 60 },
    steps: () => ({
      kill: async () => {
        throw new Error('the API server was away');
      },
    }),
  }),
  'target-kept-moving': experiment({
    schedule: { durationSeconds: 60, intervalSeconds: 60 },
    steps: () => ({ kill: async () => ({ outcome: 'moved', reason: 'leadership moved', at: 0 }) }),
  }),
  'scheduled-skipped': experiment({
    pauseOn: ['fail'],
    steps: () => ({ resolve: failing('LOCKED', 'resolve') }),
  }),
  'scheduled-pauses': experiment({
    pauseOn: ['fail'],
    steps: (base) => ({
      closeStream: async (request) => ({ ...(await base.closeStream(request)), isrFullAtEnd: false }),
    }),
  }),
  'slo-broken': experiment(brokenDuring('prove')),
  'slo-broken-while-aiming': experiment(brokenDuring('aim')),
  'slo-broken-at-kill': experiment({
    schedule: everyFour,
    steps: (base) => ({
      ...abortOn(base),
      kill: async ({ plan }) =>
        plan.index === 0 ? await base.kill({ plan } as never) : { outcome: 'slo-broken', broken },
    }),
  }),
  aborted: experiment({ steps: (_base, handle) => ({ prove: async () => await stopped(handle, 'abort') }) }),
  cancelled: experiment({
    steps: (_base, handle) => ({ prove: async () => await stopped(handle, 'cancel') }),
  }),
  'failed-while-aborted': experiment({
    steps: (_base, handle) => ({
      provision: async () => {
        await stopped(handle, 'abort').catch(() => {});
        return await failing('PLAN_FATAL', 'provision')();
      },
    }),
  }),
  continued: experiment({ schedule: { durationSeconds: (maxKillsOfHistory + 2) * 60, intervalSeconds: 60 } }),
  janitor: janitor(async () => ({ runs: [] })),
  'janitor-left-something': janitor(async () => ({
    runs: [{ state: 'ended', leftovers: [{ kind: 'Topic', name: 't', reason: 'refused' }] }],
  })),
  'janitor-failed': janitor(failing('KUBERNETES_FORBIDDEN', 'clean-up')),
  'janitor-cancelled': janitor(untilCancelled, async (handle) => await handle.cancel()),
  'kill-budget': async (env) => {
    const taskQueue = 'kills';
    return await withWorker(env, taskQueue, {}, async () => {
      const handle = await env.client.workflow.start('killBudget', { taskQueue, workflowId: taskQueue });
      const take = (key: string) =>
        handle.executeUpdate<Taken, [AskedKill]>(takeKillUpdate, { args: [{ key, perHour: 1 }] });
      await take('a#0');
      await take('b#0');
      await env.sleep(countedMs / 2);
      await take('b#0');
      await handle.result();
      return handle;
    });
  },
  ...recordedPromotions,
};

async function withWorker<T>(
  env: TestWorkflowEnvironment,
  taskQueue: string,
  activities: object,
  work: () => Promise<T>,
): Promise<T> {
  const workflowBundle = await workflowCode();
  const worker = await Worker.create({
    ...{ connection: env.nativeConnection, taskQueue, workflowBundle, activities },
    maxHeartbeatThrottleInterval: '50ms',
    defaultHeartbeatThrottleInterval: '50ms',
  });
  return await worker.runUntil(work);
}

/** A round of the janitor; how it ends is in its history. */
function janitor(
  sweep: () => Promise<unknown>,
  during: (handle: WorkflowHandle) => Promise<unknown> = async () => {},
): Tell {
  return async (env) => {
    const taskQueue = 'janitor';
    const swept = Promise.withResolvers<void>();
    const activities = {
      sweep: async () => {
        swept.resolve();
        return await sweep();
      },
    };
    return await withWorker(env, taskQueue, activities, async () => {
      const handle = await env.client.workflow.start('janitor', { taskQueue, workflowId: taskQueue });
      await swept.promise;
      await during(handle);
      await handle.result().catch(() => {});
      return handle;
    });
  };
}

/** Asks for the end of the run from inside a step, which then ends as a real one does. */
async function stopped(handle: Promise<WorkflowHandle>, way: 'abort' | 'cancel'): Promise<never> {
  const run = await handle;
  const asked = way === 'abort' ? run.signal('abort', { actor: 'ann', reason: 'enough' }) : run.cancel();
  const [end] = await Promise.all([untilCancelled(), asked]);
  return end;
}
