import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import { wasCarriedOut } from '../../src/experiment/kill-record.ts';
import type { ChaosResult } from '../../src/experiment/result.ts';
import { type KillSchedule, plannedKills } from '../../src/experiment/schedule.ts';
import type { ServedCluster } from '../../test/durability/cluster/server.ts';
import type { Rig } from '../../test/durability/rig.ts';
import type { TemporalServer } from '../../test/durability/temporal-server.ts';
import { peakMiB } from '../probes/process-memory.ts';
import { processorSeconds } from '../probes/processor-time.ts';
import { limit } from './limited.ts';
import { type BenchedTemporal, temporalOnPostgres } from './temporal-on-postgres.ts';

/** A kill every 20 s, as by default. */
const rhythm = { intervalSeconds: 20, recoveryTimeoutSeconds: 30 };

/** A worker is ready within so long a time. ms */
const readyMs = 60_000;

/** Longer than any run may take, its turn in a queue included. ms */
const patienceMs = 420_000;

/** What each worker is given. */
export const limits = { cpus: 1, memoryMiB: 1_024 };

/** Where a Temporal server keeps everything. */
export const stores = ['sqlite', 'postgresql'] as const;

/** One of them. */
export type Store = (typeof stores)[number];

/** What one level is. */
export interface LevelPlan {
  runs: number;
  /** Workers on the one task queue. */
  workers: number;
  /** For so many runs each worker has room: LEADERFALL_RUNS_AT_ONCE. */
  room: number;
  /** Options of Node for the workers. */
  node: string[];
  /** Of each run's kills. */
  durationSeconds: number;
  /** Runs begin over so long a time. */
  beginWithinSeconds: number;
  /** Of the Temporal server. */
  store: Store;
}

/** So many runs at once, as they were seen from outside. */
export interface Level {
  runs: number;
  workers: number;
  room: number;
  store: Store;
  /** Runs by verdict; `none` where there was no result in time. */
  verdicts: Map<string, number>;
  reasons: string[];
  /** Arrival of each deletion at the simulated API server after its deadline, ms, sorted. */
  delays: number[];
  skipped: number;
  planned: number;
  /** Attempts of steps that ended because no heartbeat came. */
  missedHeartbeats: number;
  /** Deaths that no kill of a result explains, and what runs left. */
  wrong: string[];
  seconds: number;
  /** Of the workers together, the Temporal server with its store, and this process with the clusters: share of one processor. */
  load: { workers: number; temporal: number; clusters: number };
  /** Of the worker that had most. */
  peakMiB: number;
  /** Why the workers were not limited. */
  unlimited?: string;
}

/** Plays one level on a Temporal server of its own. */
export async function playLevel(rig: Rig, plan: LevelPlan): Promise<Level> {
  const { runs, room, store } = plan;
  const name = `load-${runs}-${room}`;
  const server = await (store === 'postgresql'
    ? temporalOnPostgres(rig.folder, name)
    : onSqlite(await rig.ownTemporal(name)));
  try {
    return await playOn(rig, server, name, plan);
  } finally {
    await server.stop();
  }
}

async function playOn(
  rig: Rig,
  server: BenchedTemporal,
  name: string,
  { runs, workers, room, node, durationSeconds, beginWithinSeconds, store }: LevelPlan,
): Promise<Level> {
  const schedule = { ...rhythm, durationSeconds };
  const names = Array.from({ length: runs }, (_, index) => `${name}-${index}`);
  const clusters = await Promise.all(names.map((one) => rig.cluster(one, one)));
  const env = { LEADERFALL_RUNS_AT_ONCE: String(room) };
  const numbers = Array.from({ length: workers }, (_, number) => `${name}-worker-${number}`);
  const started = numbers.map((one) => rig.worker(rig.together, server, name, { env, node, log: one }));
  const limited = started.map(({ pid }) => limit(pid, limits));
  try {
    for (const one of numbers) await untilReady(join(rig.folder, `worker-${one}.log`));
    const own = started.map(({ pid }) => pid);
    const sum = (pids: number[]) => pids.reduce((all, pid) => all + processorSeconds(pid), 0);
    const used = () => [sum(own), server.processorSeconds(), processorSeconds(process.pid)];
    const [began, before] = [Date.now(), used()];
    const ends = await Promise.all(
      names.map(async (workflowId, index) => {
        await delay((index / runs) * beginWithinSeconds * 1_000);
        return await playRun(server, workflowId, name, schedule);
      }),
    );
    const [seconds, after] = [(Date.now() - began) / 1_000, used()];
    const share = (index: number) => ((after[index] ?? 0) - (before[index] ?? 0)) / seconds;
    const refused = limited.find((one) => one.refused)?.refused;
    const level: Level = {
      ...{ runs, workers, room, store, seconds, planned: runs * plannedKills(schedule) },
      ...sumOf(ends, clusters),
      missedHeartbeats: (await Promise.all(ends.map(({ handle }) => missedIn(handle)))).reduce(
        (sum, one) => sum + one,
        0,
      ),
      load: { workers: share(0), temporal: share(1), clusters: share(2) },
      peakMiB: Math.max(...own.map(peakMiB)),
      ...(refused ? { unlimited: refused } : {}),
    };
    return level;
  } finally {
    await Promise.all(started.map((worker) => worker.stop()));
    for (const { release } of limited) release();
  }
}

function onSqlite(server: TemporalServer): BenchedTemporal {
  return { ...server, processorSeconds: () => processorSeconds(server.pid()) };
}

/** Throws with the end of the worker's log, which goes with the rig. */
async function untilReady(log: string): Promise<void> {
  const deadline = Date.now() + readyMs;
  for (;;) {
    const said = readFileSync(log, 'utf8');
    if (said.includes('worker is ready')) return;
    if (Date.now() > deadline)
      throw new Error(`the worker is not ready after ${readyMs / 1_000} s, ${log}: ${said.slice(-2_000)}`);
    await delay(100);
  }
}

interface RunEnd {
  handle: WorkflowHandle;
  result?: ChaosResult;
  problem?: string;
}

async function playRun(
  { client }: BenchedTemporal,
  workflowId: string,
  taskQueue: string,
  schedule: KillSchedule & { recoveryTimeoutSeconds: number },
): Promise<RunEnd> {
  const experiment = {
    ...{ cluster: { namespace: workflowId }, reach: 'direct', schedule },
    liveness: { ratePerSecond: 10, readySeconds: 60 },
  };
  const handle = await client.workflow.start('kafkaBrokerFailure', {
    ...{ taskQueue, workflowId, args: [experiment] },
  });
  const over = new AbortController();
  const ended = await Promise.race([
    handle.result().then(
      (result) => ({ handle, result: result as ChaosResult }),
      (error: Error) => ({
        handle,
        problem: (error.cause as Error | undefined)?.message ?? error.message,
      }),
    ),
    delay(patienceMs, { handle, problem: 'it did not end' }, { signal: over.signal }),
  ]);
  over.abort();
  return ended;
}

function sumOf(
  ends: RunEnd[],
  clusters: ServedCluster[],
): Pick<Level, 'verdicts' | 'reasons' | 'delays' | 'skipped' | 'wrong'> {
  const verdicts = new Map<string, number>();
  const reasons: string[] = [];
  const delays: number[] = [];
  const wrong: string[] = [];
  let skipped = 0;
  for (const [index, { result, problem, handle }] of ends.entries()) {
    const verdict = result?.verdict ?? 'none';
    verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
    if (verdict !== 'Pass') reasons.push(`${handle.workflowId}: ${problem ?? result?.reasons.join('; ')}`);
    const kills = result?.kills ?? [];
    skipped += kills.filter(({ status }) => status === 'skipped').length;
    const cluster = clusters[index];
    for (const { uid, at } of cluster?.deaths ?? []) {
      const kill = kills.find(({ plan, act }) => plan?.podUid === uid && wasCarriedOut(act));
      if (kill?.plan) delays.push(at - kill.plan.deadline);
      else wrong.push(`${handle.workflowId}: a broker died and no kill tells of it`);
    }
    for (const left of cluster?.leftovers() ?? []) wrong.push(`${handle.workflowId} left ${left}`);
  }
  return { verdicts, reasons, skipped, wrong, delays: delays.sort((a, b) => a - b) };
}

/** Attempts that ended without a heartbeat; the last one of a step has an event, the others are named by the next. */
async function missedIn(handle: WorkflowHandle): Promise<number> {
  const { events } = await handle.fetchHistory();
  const heartbeat = 4;
  return (events ?? []).filter(
    ({ activityTaskStartedEventAttributes: started, activityTaskTimedOutEventAttributes: ended }) =>
      [started?.lastFailure, ended?.failure].some(
        (one) => one?.timeoutFailureInfo?.timeoutType === heartbeat,
      ),
  ).length;
}
