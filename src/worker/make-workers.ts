import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import { type Activities, criticalSuffix, type PromotionActivities } from '../activities/contract.ts';

/** Activities that only the critical queue carries out. */
const criticalActivities = ['kill', 'cleanUp', 'record'] as const satisfies (keyof Activities)[];

/** What both workers have in common. Grace < force < the 60 s that a pod is given to stop. */
const common = {
  shutdownGraceTime: '10s',
  shutdownForceTime: '40s',
  // A step beats when it has something to say; the default would hold that back for up to 80 % of its time-out.
  maxHeartbeatThrottleInterval: '2s',
  defaultHeartbeatThrottleInterval: '2s',
  maxConcurrentActivityTaskExecutions: 20,
  // For so long a story waits for the worker that had it last. One that died would cost a kill its time to be proven.
  stickyQueueScheduleToStartTimeout: '2s',
} as const satisfies Partial<WorkerOptions>;

/**
 * The worker for stories and most steps, and the one for kill and clean-up, which waiting and observing steps can never starve
 * because queue and slots are their own.
 */
export async function makeWorkers(options: {
  connection: NativeConnection;
  namespace: string;
  taskQueue: string;
  activities: Activities & PromotionActivities;
  /** File of workflow code that was bundled before. */
  workflowBundle?: string | undefined;
}): Promise<Worker[]> {
  const { connection, namespace, taskQueue, activities } = options;
  const critical = Object.fromEntries(criticalActivities.map((name) => [name, activities[name]]));
  const others = Object.fromEntries(Object.entries(activities).filter(([name]) => !(name in critical)));
  const main = await Worker.create({
    ...common,
    connection,
    namespace,
    taskQueue,
    activities: others,
    ...workflowCode(options.workflowBundle),
    maxConcurrentWorkflowTaskExecutions: 10,
    workflowTaskPollerBehavior: pollers(4),
    activityTaskPollerBehavior: pollers(4),
    maxCachedWorkflows: 50,
    workflowThreadPoolSize: 1,
  });
  const urgent = await Worker.create({
    ...common,
    connection,
    namespace,
    taskQueue: `${taskQueue}${criticalSuffix}`,
    activities: critical,
    activityTaskPollerBehavior: pollers(2),
  });
  return [main, urgent];
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
