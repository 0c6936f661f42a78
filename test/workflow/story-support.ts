import { fileURLToPath } from 'node:url';
import { ApplicationFailure, CancelledFailure, Context } from '@temporalio/activity';
import type { WorkflowHandle, WorkflowStartOptions } from '@temporalio/client';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { execa } from 'execa';
import type { Activities } from '../../src/activities/contract.ts';
import type { KillPlan } from '../../src/experiment/kill-record.ts';
import { resolveExperiment } from '../../src/experiment/resolve.ts';
import type { ChaosResult } from '../../src/experiment/result.ts';
import type { KillSchedule } from '../../src/experiment/schedule.ts';
import { experimentSchema } from '../../src/experiment/spec.ts';
import type { StreamReport } from '../../src/experiment/stream-report.ts';
import type { Carried } from '../../src/workflows/continue-run.ts';
import { workflowCode } from '../support/build.ts';

// The stories fail on purpose; only what is wrong with the worker itself is worth a line.
Runtime.install({
  logger: new DefaultLogger('ERROR'),
  telemetryOptions: { logging: { forward: {}, filter: { core: 'ERROR', other: 'ERROR' } } },
});

const root = fileURLToPath(new URL('../..', import.meta.url));

let serverPath: Promise<string> | undefined;

async function findServer(): Promise<string> {
  const find = ['testbed/main.ts', 'path', 'temporal-test-server'];
  return (await execa(process.execPath, find, { cwd: root })).stdout.trim();
}

/**
 * A server whose clock jumps over timers. Each test of a cancelled story needs one of its own: a step that a cancel leaves behind,
 * or a workflow that no worker takes, keeps it from ever skipping time again.
 */
export async function timeSkippingServer(): Promise<TestWorkflowEnvironment> {
  serverPath ??= findServer();
  return await TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path: await serverPath } },
  });
}

const stream: StreamReport = {
  acked: 100,
  received: 100,
  lost: 0,
  lostExamples: [],
  duplicated: 0,
  outOfOrder: 0,
  unknown: 0,
  longestSilenceMs: 500,
  longestAckGapMs: 500,
  drained: true,
  producer: { state: 'running' },
  consumer: { state: 'running' },
  observer: { state: 'running' },
  notes: [],
};

/** What the stub activities saw, in order, with the server's clock (epoch ms) where it matters. */
export interface Seen {
  calls: string[];
  /** Deadlines of the plans that were acted on, relative to the first. */
  acts: { index: number; deadline: number; pod: string }[];
  recorded?: ChaosResult;
}

/** Activities of a run on a healthy Kafka: everything succeeds. Overrides replace single steps. */
export function healthy(
  env: { currentTimeMs(): Promise<number> },
  seen: Seen,
  overrides: Partial<Activities> = {},
  schedule: KillSchedule = { durationSeconds: 60, intervalSeconds: 20 },
): Activities {
  const experiment = resolveExperiment(
    experimentSchema.parse({ cluster: { namespace: 'kafka' }, schedule }),
    { image: 'i' },
  );
  const now = () => env.currentTimeMs();
  const base: Activities = {
    resolve: async () => ({
      run: { temporalNamespace: 'default', workflowId: 'w', runId: 'r' },
      experiment,
      provisioner: 'existing',
      statefulSetName: 'kafka-kafka',
      expires: 0,
      notes: ['a note'],
      versions: {},
      searchAttributes: [],
    }),
    provision: async () => ({
      provisioner: 'existing',
      statefulSet: { namespace: 'kafka', name: 'kafka-kafka', uid: 'u', replicas: 3 },
      brokerIds: [0, 1, 2],
      gracePeriodSeconds: 30,
      settings: {},
      made: [],
      packages: [],
      reach: 'direct',
      notes: [],
    }),
    annotate: async () => ({ former: null, annotated: true }),
    startLiveness: async () => ({
      namespace: 'kafka',
      pod: 'kafka-liveness',
      podUid: 'p',
      node: 'n',
      topic: 't',
      replicationFactor: 3,
      minInsyncReplicas: 2,
      steadyAt: (await now()) + 1_000,
    }),
    aim: async ({ index, deadline }) => ({ outcome: 'aimed', plan: planOf(index, deadline) }),
    kill: async ({ plan }) => {
      seen.acts.push({ index: plan.index, deadline: plan.deadline, pod: plan.pod });
      const at = Math.max(plan.deadline, await now());
      return { outcome: 'deleted', requestedAt: at, answeredAt: at, gracePeriodSeconds: 30, repeated: false };
    },
    prove: async () => ({ proven: true, evidence: ['gone'], exitCode: 143 }),
    watchSlo: untilCancelled,
    takePart: async ({ to }) => ({ until: to }),
    closeStream: async () => ({
      stream,
      livenessPod: { state: 'running' },
      isrFullAtEnd: true,
      recoveries: [],
    }),
    cleanUp: async () => ({ leftovers: [], done: ['all'] }),
    releaseClaim: async () => ({ leftovers: [], done: ['claim released'] }),
    record: async ({ result }) => {
      seen.recorded = result;
      return result;
    },
  };
  const all = { ...base, ...overrides };
  return Object.fromEntries(
    Object.entries(all).map(([name, activity]) => [
      name,
      async (argument: never) => {
        seen.calls.push(name);
        return await (activity as (argument: never) => Promise<unknown>)(argument);
      },
    ]),
  ) as unknown as Activities;
}

/** A plan as `aim` gives it. */
export function planOf(index: number, deadline: number, pod = `kafka-kafka-${index % 3}`): KillPlan {
  return {
    index,
    deadline,
    notAfter: deadline + 10_000,
    broker: index % 3,
    pod,
    namespace: 'kafka',
    podUid: `uid-${index}`,
    resourceVersion: '1',
    leader: index % 3,
    leaderEpoch: index,
    isr: [0, 1, 2],
    replicas: [0, 1, 2],
    controller: 0,
    guardWaitMs: 0,
    guardReasons: [],
  };
}

let count = 0;

/** Runs the workflow with the activities on all task queues and gives how it ended. `carried`: as one that went on in a new history. */
export async function runStory(
  env: TestWorkflowEnvironment,
  activities: Activities,
  during: (handle: WorkflowHandle) => Promise<void> = async () => {},
  { carried, start = {} }: { carried?: Carried; start?: Partial<WorkflowStartOptions> } = {},
): Promise<{ handle: WorkflowHandle; error?: Error; result?: ChaosResult }> {
  const taskQueue = `story-${count++}`;
  const common = {
    connection: env.nativeConnection,
    activities,
    // Beats must reach the server while its clock jumps.
    maxHeartbeatThrottleInterval: '50ms',
    defaultHeartbeatThrottleInterval: '50ms',
  } as const;
  const main = await Worker.create({ ...common, taskQueue, workflowBundle: await workflowCode() });
  const others = await Promise.all(
    ['critical', 'watch'].map((name) => Worker.create({ ...common, taskQueue: `${taskQueue}-${name}` })),
  );
  const running = others.map((worker) => worker.run());
  try {
    return await main.runUntil(async () => {
      const handle = await env.client.workflow.start('kafkaBrokerFailure', {
        ...start,
        taskQueue,
        workflowId: taskQueue,
        args: [{ cluster: { namespace: 'kafka' } }, ...(carried ? [carried] : [])],
      });
      try {
        const [result] = await Promise.all([handle.result() as Promise<ChaosResult>, during(handle)]);
        return { handle, result };
      } catch (error) {
        return { handle, error: error as Error };
      }
    });
  } finally {
    for (const worker of others) worker.shutdown();
    await Promise.all(running);
  }
}

/** An activity that fails as our steps do. */
export function failing(code: string, step: string, about?: unknown): () => Promise<never> {
  return async () => {
    const problem = { code, step, message: `${step} went wrong`, retryable: false };
    throw ApplicationFailure.create({
      type: code,
      message: problem.message,
      nonRetryable: true,
      details: [problem, ...(about === undefined ? [] : [about])],
    });
  };
}

/** A last step that also does what the worker does when it is told to: a workflow cannot cancel itself. */
export function cancelling(base: Activities, run: Promise<WorkflowHandle>): Activities['record'] {
  return async (request) => {
    if (request.cancelRun) await (await run).cancel();
    return await base.record(request);
  };
}

/** Lasts that long in an activity that beats as a real one does; the server's clock does not jump while an activity runs. */
export async function last(seconds: number): Promise<void> {
  for (let passed = 0; passed < seconds; passed += 0.5) {
    Context.current().heartbeat();
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** An activity that lasts until it is cancelled, and beats so that it hears of it. */
export async function untilCancelled(): Promise<never> {
  const context = Context.current();
  const beat = setInterval(() => context.heartbeat(), 100);
  try {
    await context.cancelled;
  } finally {
    clearInterval(beat);
  }
  throw new CancelledFailure('cancelled');
}
