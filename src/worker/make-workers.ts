import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { WorkerDeploymentVersion } from '@temporalio/common';
import { type NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import {
  type Activities,
  criticalActivities,
  criticalSuffix,
  type PromotionActivities,
  watchActivities,
  watchSuffix,
} from '../activities/contract.ts';

/** Slots of the main queue for each run: its own step, and what promotions and the janitor do beside it. */
const stepsPerRun = 2;

/**
 * Slots of the critical queue, and of that of watches, for each run. A run has one step in each, and one that waits costs next to
 * nothing: with more than a worker can ever have runs, no kill waits for clean-ups to end, and no watch for another run's kills.
 */
const waitingPerRun = 10;

/** A run has one watch to be taken, or one in each of its histories. */
const watchPollers = 2;

/** What both workers have in common. Grace < force < the 60 s that a pod is given to stop. */
const common = {
  shutdownGraceTime: '10s',
  shutdownForceTime: '40s',
  // A step beats when it has something to say; the default would hold that back for up to 80 % of its time-out.
  maxHeartbeatThrottleInterval: '2s',
  defaultHeartbeatThrottleInterval: '2s',
  // For so long a story waits for the worker that had it last. One that died would cost a kill its time to be proven.
  stickyQueueScheduleToStartTimeout: '2s',
} as const satisfies Partial<WorkerOptions>;

/**
 * The worker for stories and most steps; the one for aim, kill, clean-up and record, which waiting and observing steps can never
 * starve because queue and slots are their own; and the one for watches, which last as long as a run's kills and would keep the slots
 * of the first one from all that is over soon.
 */
export async function makeWorkers(options: {
  connection: NativeConnection;
  namespace: string;
  taskQueue: string;
  activities: Activities & PromotionActivities;
  /** For how many runs there are slots, and room in memory. */
  runsAtOnce: number;
  /** File of workflow code that was bundled before. */
  workflowBundle?: string | undefined;
  /** A run that begins on this version ends on it; unversioned where undefined. */
  version?: WorkerDeploymentVersion | undefined;
}): Promise<Worker[]> {
  const { connection, namespace, taskQueue, activities, runsAtOnce } = options;
  const names: ReadonlySet<string> = new Set(criticalActivities);
  // A watch that a run of an earlier build has begun is asked for on the main queue.
  const [critical, others] = [true, false].map((wanted) =>
    Object.fromEntries(Object.entries(activities).filter(([name]) => names.has(name) === wanted)),
  );
  const watches = Object.fromEntries(watchActivities.map((name) => [name, activities[name]]));
  const versioning = versioningOf(options.version);
  const main = await Worker.create({
    ...common,
    ...versioning,
    connection,
    namespace,
    taskQueue,
    activities: others,
    ...workflowCode(options.workflowBundle),
    maxConcurrentWorkflowTaskExecutions: 10,
    workflowTaskPollerBehavior: pollers(4),
    activityTaskPollerBehavior: pollers(4),
    maxConcurrentActivityTaskExecutions: stepsPerRun * runsAtOnce,
    maxCachedWorkflows: runsAtOnce,
    workflowThreadPoolSize: 1,
  });
  const urgent = await Worker.create({
    ...common,
    ...versioning,
    connection,
    namespace,
    taskQueue: `${taskQueue}${criticalSuffix}`,
    activities: critical,
    maxConcurrentActivityTaskExecutions: waitingPerRun * runsAtOnce,
    activityTaskPollerBehavior: pollers(4),
  });
  const watching = await Worker.create({
    ...common,
    ...versioning,
    connection,
    namespace,
    taskQueue: `${taskQueue}${watchSuffix}`,
    activities: watches,
    maxConcurrentActivityTaskExecutions: waitingPerRun * runsAtOnce,
    activityTaskPollerBehavior: pollers(watchPollers),
  });
  return [main, urgent, watching];
}

/** The same for all queues: a pinned run's steps go to pollers of its own version on any queue that its version serves. */
function versioningOf(
  version: WorkerDeploymentVersion | undefined,
): Pick<WorkerOptions, 'workerDeploymentOptions'> {
  if (!version) return {};
  return {
    workerDeploymentOptions: { version, useWorkerVersioning: true, defaultVersioningBehavior: 'PINNED' },
  };
}

/** A fixed number; the SDK 1.24 takes no notice of its own `maxConcurrent…Polls`. */
function pollers(maximum: number) {
  return { type: 'simple-maximum', maximum } as const;
}

/** The bundle beside a build; the sources where there is no build, never a bundle that may be older than they are. */
function workflowCode(given?: string): Pick<WorkerOptions, 'workflowBundle' | 'workflowsPath'> {
  if (given) return { workflowBundle: { codePath: given } };
  const bundle = fileURLToPath(new URL('../../workflow-bundle.js', import.meta.url));
  if (existsSync(bundle)) return { workflowBundle: { codePath: bundle } };
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return {
    workflowsPath: fileURLToPath(new URL(`../workflows/all-workflows.${extension}`, import.meta.url)),
  };
}
