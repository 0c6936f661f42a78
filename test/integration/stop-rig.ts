import type { WorkflowHandle } from '@temporalio/client';
import { execa } from 'execa';
import type { Act, Activities } from '../../src/activities/contract.ts';
import { makeKill } from '../../src/activities/kill.ts';
import { makeResolve } from '../../src/activities/resolve.ts';
import { currentRun } from '../../src/activities/step.ts';
import type { RunIdentity } from '../../src/experiment/identity.ts';
import type { ChaosResult } from '../../src/experiment/result.ts';
import { takeClaim } from '../../src/kubernetes/lease.ts';
import { readLock } from '../../src/worker/read-lock.ts';
import { cancelRun } from '../../src/worker/temporal-facts.ts';
import { fakeKafka, replacePod, type Scene, scene } from '../activities/step-support.ts';
import { type TemporalServer, temporalOfItsOwn } from '../durability/temporal-server.ts';
import { main } from '../support/build.ts';
import { healthy } from '../workflow/story-support.ts';
import { realClock, startStoryWorker } from './story-worker.ts';

const taskQueue = 'stop';

/** What a person, a schedule and the Web UI would start. */
export const story = { taskQueue, args: [{ cluster: { namespace: 'kafka' } }] as [unknown] };

/** Runs that need no cluster, on a Temporal of their own, where every run may be stopped. */
export interface StopRig {
  temporal: TemporalServer;
  /** By workflow id. */
  recorded: Map<string, ChaosResult>;
  /** Whose kill was made when, epoch ms. */
  kills: { run: string; at: number }[];
  start(workflowId: string): Promise<WorkflowHandle>;
  leaderfall(...args: string[]): Promise<{ exitCode?: number; stdout: string; stderr: string }>;
  restartWorker(whileAway: () => Promise<unknown>): Promise<void>;
  close(): Promise<void>;
}

/** The real workflow and the real lock; a kill of each run every `intervalSeconds`, for ten minutes. */
export async function startStopRig(intervalSeconds: number): Promise<StopRig> {
  const temporal = await temporalOfItsOwn('stop');
  const { client, address } = temporal;
  const recorded = new Map<string, ChaosResult>();
  const kills: StopRig['kills'] = [];
  const { deps } = await scene(fakeKafka());
  const refuse = makeResolve({ ...deps, readLock: () => readLock(client) });
  const clusters = new Map<string, Promise<Scene>>();
  const clusterOf = (run: RunIdentity) => {
    const cluster = clusters.get(run.runId) ?? claimedCluster(run, () => readLock(client));
    clusters.set(run.runId, cluster);
    return cluster;
  };
  const base = healthy(realClock, { calls: [], acts: [] }, {}, { durationSeconds: 600, intervalSeconds });
  const work = () =>
    startStoryWorker(
      taskQueue,
      {
        ...base,
        // The real step as far as the lock, which it asks for first.
        resolve: async (input, origin) =>
          (await readLock(client))
            ? await refuse(input, origin)
            : { ...(await base.resolve(input, origin)), run: currentRun() },
        kill: async (request) => {
          const { run } = request.resolved;
          const act = await killIn(await clusterOf(run), request);
          if (act.outcome === 'deleted') kills.push({ run: run.workflowId, at: act.requestedAt });
          return act;
        },
        record: async ({ result, cancelRun: cancel }) => {
          recorded.set(result.run.workflowId, result);
          if (cancel) await cancelRun(client, result.run);
          return result;
        },
      },
      address,
    );
  let worker = await work();
  return {
    ...{ temporal, recorded, kills },
    start: (workflowId) => client.workflow.start('kafkaBrokerFailure', { ...story, workflowId }),
    leaderfall: (...args) =>
      execa(process.execPath, [main, ...args], {
        reject: false,
        stdin: 'ignore',
        env: { NO_COLOR: '1', TEMPORAL_ADDRESS: address, LEADERFALL_TASK_QUEUE: taskQueue },
      }),
    restartWorker: async (whileAway) => {
      await worker.stop();
      await whileAway();
      worker = await work();
    },
    close: async () => {
      await worker.stop();
      await temporal.stop();
    },
  };
}

/** A cluster that is that run's own. */
async function claimedCluster(run: RunIdentity, readLock: Scene['deps']['readLock']): Promise<Scene> {
  const at = await scene(fakeKafka());
  at.deps.readLock = readLock;
  const { namespace, name: statefulSet } = at.context.kafka.statefulSet;
  await takeClaim({
    ...{ kubernetes: at.kubernetes, run, namespace, statefulSet, durationSeconds: 3_600, expires: 0 },
    isClosed: async () => false,
  });
  return at;
}

/** The real step, on the leader of that cluster, which is always there anew. */
async function killIn(at: Scene, request: Parameters<Activities['kill']>[0]): Promise<Act> {
  await replacePod(at, 2);
  const podUid = at.kubernetes.objects.get('Pod kafka/kafka-kafka-2')?.metadata?.uid ?? '';
  const plan = { ...request.plan, broker: 1002, pod: 'kafka-kafka-2', podUid };
  return await makeKill(at.deps)({ ...request, kafka: at.context.kafka, liveness: at.liveness, plan });
}

/** How a run stands, as its query tells. */
export async function statusOf(
  handle: WorkflowHandle,
): Promise<{ kills: { proven: number }; next?: { deadline?: string } }> {
  return await handle.query('status');
}
