import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import type { Activities } from '../../src/activities/contract.ts';
import { maxKillsOfHistory } from '../../src/experiment/schedule.ts';
import { environmentSteps, promoteStory } from './promotion-support.ts';
import { failing, healthy, last, planOf, runStory, untilCancelled } from './story-support.ts';

/** Tells one story and gives the run to be recorded. */
type Tell = (env: TestWorkflowEnvironment) => Promise<WorkflowHandle>;

interface Path {
  steps?: (base: Activities, handle: Promise<WorkflowHandle>) => Partial<Activities>;
  schedule?: { durationSeconds: number; intervalSeconds: number };
}

/** A run of `kafkaBrokerFailure` in which some steps behave otherwise. */
function experiment({ steps = () => ({}), schedule }: Path = {}): Tell {
  return async (env) => {
    const started = Promise.withResolvers<WorkflowHandle>();
    const seen = { calls: [], acts: [] };
    const base = healthy(env, seen, {}, schedule);
    const activities = healthy(env, seen, steps(base, started.promise), schedule);
    const { handle } = await runStory(env, activities, async (run) => started.resolve(run));
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
  aborted: experiment({ steps: (_base, handle) => ({ prove: async () => await stopped(handle, 'abort') }) }),
  cancelled: experiment({
    steps: (_base, handle) => ({ prove: async () => await stopped(handle, 'cancel') }),
  }),
  continued: experiment({ schedule: { durationSeconds: (maxKillsOfHistory + 2) * 60, intervalSeconds: 60 } }),
  janitor: async (env) => {
    const taskQueue = 'janitor';
    const worker = await Worker.create({
      connection: env.nativeConnection,
      taskQueue,
      workflowsPath: new URL('../../src/workflows/all-workflows.ts', import.meta.url).pathname,
      activities: { sweep: async () => ({ runs: [] }) },
    });
    return await worker.runUntil(async () => {
      const handle = await env.client.workflow.start('janitor', { taskQueue, workflowId: taskQueue });
      await handle.result();
      return handle;
    });
  },
  'promotion-passed': promotion,
};

/** Asks for the end of the run from inside a step, which then ends as a real one does. */
async function stopped(handle: Promise<WorkflowHandle>, way: 'abort' | 'cancel'): Promise<never> {
  const run = await handle;
  const asked = way === 'abort' ? run.signal('abort', { actor: 'ann', reason: 'enough' }) : run.cancel();
  const [end] = await Promise.all([untilCancelled(), asked]);
  return end;
}

async function promotion(env: TestWorkflowEnvironment): Promise<WorkflowHandle> {
  const steps = (name: string) => environmentSteps(env, name, { fails: new Set(), inputs: [] });
  const stage = (name: string, taskQueue: string) => ({
    name,
    environment: { name, taskQueue },
    experiments: [{ name: `${name}-kills`, cluster: { namespace: `kafka-${name}` } }],
  });
  const { handle } = await promoteStory(
    env,
    { staging: steps('staging'), production: steps('production') },
    (queues) => ({
      name: 'orders',
      subject: 'orders@sha256:1',
      stages: [stage('staging', queues.staging), stage('production', queues.production)],
    }),
  );
  return handle;
}
