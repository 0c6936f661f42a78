import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { WorkflowHandle } from '@temporalio/client';
import { execa } from 'execa';
import { makeResolve } from '../../src/activities/resolve.ts';
import { currentRun } from '../../src/activities/step.ts';
import type { ChaosResult } from '../../src/experiment/result.ts';
import { pause } from '../../src/kubernetes/wait.ts';
import { readLock } from '../../src/worker/read-lock.ts';
import { cancelRun } from '../../src/worker/temporal-facts.ts';
import { fakeKafka, scene } from '../activities/step-support.ts';
import { startTemporal, type TemporalServer } from '../durability/temporal-server.ts';
import { healthy } from '../workflow/story-support.ts';
import { realClock, startStoryWorker } from './story-worker.ts';

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
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
  const folder = mkdtempSync(join(tmpdir(), 'leaderfall-stop-'));
  const temporal = await startTemporal(folder, 'stop');
  const { client, address } = temporal;
  const recorded = new Map<string, ChaosResult>();
  const kills: StopRig['kills'] = [];
  const { deps } = await scene(fakeKafka());
  const refuse = makeResolve({ ...deps, readLock: () => readLock(client) });
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
          const { deadline } = request.plan;
          // As the real step has it, so that the bench shows what is true of it.
          await pause(deadline - 400 - Date.now(), new AbortController().signal);
          const lock = await readLock(client);
          if (lock) return { outcome: 'locked', by: lock };
          await pause(deadline - Date.now(), new AbortController().signal);
          kills.push({ run: request.resolved.run.workflowId, at: Date.now() });
          return await base.kill(request);
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
      rmSync(folder, { recursive: true });
    },
  };
}

/** How a run stands, as its query tells. */
export async function statusOf(
  handle: WorkflowHandle,
): Promise<{ kills: { proven: number }; next?: { deadline?: string } }> {
  return await handle.query('status');
}
