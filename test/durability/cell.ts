import { setTimeout as delay } from 'node:timers/promises';
import { WorkflowFailedError } from '@temporalio/client';
import { wasCarriedOut } from '../../src/experiment/kill-record.ts';
import type { ChaosResult } from '../../src/experiment/result.ts';
import type { Rig } from './rig.ts';
import { openStage, type Stage } from './stage.ts';
import type { TemporalSettings } from './temporal-server.ts';

/** The run that is disturbed: two kills, which may be ten seconds late. */
export const experiment = {
  cluster: { namespace: 'kafka' },
  reach: 'direct',
  liveness: { ratePerSecond: 10, readySeconds: 60 },
  schedule: { durationSeconds: 40, intervalSeconds: 20, recoveryTimeoutSeconds: 30 },
};
const planned = 2;
const intervalMs = 20_000;
/** The latest that one may be. ms */
const limitMs = 10_000;

/** So long may nobody act after a worker has died: its heartbeat, its story, a successor that starts on a busy machine. ms */
export const takeOverMs = 30_000;

/** One disturbance of one run. */
export interface Cell {
  /** Unique, and fit for a task queue. */
  name: string;
  /** What is done, and when. */
  what: string;
  /** Disturbs; comes back when it has done so. Begins before the run does. */
  disturb(stage: Stage): Promise<void>;
  /** A server of its own, because the others need theirs, or with settings of its own. */
  ownServer?: boolean | TemporalSettings;
  /**
   * For how long it may keep everybody from acting, ms; 0 where absent. A kill may be skipped for being late only where that is more
   * than a kill may be late, and then the run may be Inconclusive.
   */
  delaysMs?: number;
  /** Verdicts that it may bring besides. */
  alsoRight?: ChaosResult['verdict'][];
  /** Why else a kill may have been skipped. */
  skips?: RegExp;
  /** Settings of the worker that is there at first. */
  settings?: Record<string, string>;
  /** How many brokers must die, where it is not as many as the undisturbed run has or fewer. */
  deaths?: number;
  /** A request of it is carried out after the kill's `notAfter`, which nobody can help; the result must tell of it all the same. */
  landsLate?: boolean;
}

/** How a cell went. */
export interface Outcome {
  cell: Cell;
  verdict: string;
  /** As the cluster counted them. */
  deaths: number;
  /** Of the latest kill, ms. */
  lateMs: number;
  seconds: number;
  /** Why kills were skipped. */
  skips: string[];
  /** What must not be; empty: the cell is good. */
  wrong: string[];
}

/** What a skip for being late says of itself, and how late. */
const late = /^(\d+) ms late/;

/** Longer than any cell may take. ms */
const patienceMs = 420_000;

/** Plays one cell. */
export async function playCell(rig: Rig, cell: Cell): Promise<Outcome> {
  const startedAt = Date.now();
  const over = new AbortController();
  const { ownServer } = cell;
  const settings = typeof ownServer === 'object' ? ownServer : {};
  const server = ownServer ? await rig.ownTemporal(cell.name, settings) : rig.temporal;
  const workers = new Set<{ kill(): Promise<void> }>();
  let disturbing: Promise<string[]> = Promise.resolve(['nothing was disturbed']);
  const stage = await openStage(rig, cell.name, {
    ...{ server, experiment, over: over.signal, ...(cell.settings ? { settings: cell.settings } : {}) },
    begin: (opened) => {
      const { another } = opened;
      workers.add(opened.worker);
      opened.another = (settings) => {
        const worker = another(settings);
        workers.add(worker);
        return worker;
      };
      disturbing = cell.disturb(opened).then(
        () => [],
        (error: unknown) => [`not disturbed: ${(error as Error).message}`],
      );
    },
  });
  const ended = await Promise.race([
    resultOf(stage),
    delay(patienceMs, 'it did not end' as const, { signal: over.signal }),
  ]);
  // What was disturbed on purpose until after the end must come to its own end too.
  const disturbed = await Promise.race([
    disturbing,
    delay(60_000, ['the disturbance did not end'], { signal: over.signal }),
  ]);
  const result = typeof ended === 'string' ? undefined : ended;
  const { deaths } = stage.cluster;
  const outcome: Outcome = {
    ...{ cell, deaths: deaths.length },
    verdict: result?.verdict ?? 'none',
    lateMs: Math.max(0, ...(result?.kills ?? []).map(({ latenessMs = 0 }) => latenessMs)),
    skips: (result?.kills ?? []).flatMap(({ status, reason = '' }) => (status === 'skipped' ? [reason] : [])),
    seconds: Math.round((Date.now() - startedAt) / 1_000),
    wrong: [
      ...(typeof ended === 'string' ? [ended] : wrongIn(ended, cell, stage)),
      ...disturbed,
      ...stage.cluster.leftovers().map((left) => `left: ${left}`),
    ],
  };
  over.abort();
  await Promise.all([...workers].map((worker) => worker.kill()));
  if (cell.ownServer) await server.stop();
  return outcome;
}

/** The result as the run's history holds it, whichever way the run ended. */
async function resultOf({ handle, server }: Stage): Promise<ChaosResult | string> {
  for (;;) {
    try {
      return (await handle.result()) as ChaosResult;
    } catch (error) {
      if (error instanceof WorkflowFailedError) break;
      // The server is away; the run is not.
      await delay(500);
    }
  }
  const { events = [] } = await server.client.workflow.getHandle(handle.workflowId).fetchHistory();
  for (const { activityTaskCompletedEventAttributes: done } of (events ?? []).toReversed()) {
    const data = done?.result?.payloads?.[0]?.data;
    const found = data && (JSON.parse(Buffer.from(data).toString()) as Partial<ChaosResult>);
    if (found?.schema === 'leaderfall.io/result/v1') return found as ChaosResult;
  }
  return 'it ended without a result';
}

/** What is wrong with how a run ended, by the cluster's own books. */
function wrongIn(result: ChaosResult, cell: Cell, { cluster: { deaths } }: Stage): string[] {
  const wrong: string[] = [];
  const skipped = result.kills.filter(({ status }) => status === 'skipped');
  const { delaysMs = 0 } = cell;
  const wasLate = (reason: string) => Number(late.exec(reason)?.[1] ?? 0) > limitMs && delaysMs > limitMs;
  const permitted = (reason = '') => wasLate(reason) || (cell.skips?.test(reason) ?? false);
  const excused = result.verdict === 'Inconclusive' && skipped.some(({ reason }) => permitted(reason));
  if (result.verdict !== 'Pass' && !excused && !cell.alsoRight?.includes(result.verdict))
    wrong.push(`${result.verdict}: ${result.reasons.join('; ')}`);
  for (const { index, reason } of skipped)
    if (!permitted(reason) && !cell.alsoRight) wrong.push(`kill ${index + 1} skipped: ${reason}`);
  if (deaths.length > planned) wrong.push(`${deaths.length} brokers died of ${planned} planned`);
  if (cell.deaths !== undefined && deaths.length !== cell.deaths)
    wrong.push(`${deaths.length} brokers died, not ${cell.deaths}`);
  const known = result.kills.filter(({ act }) => wasCarriedOut(act));
  if (known.length !== deaths.length)
    wrong.push(`the result tells of ${known.length} kills, the cluster of ${deaths.length}`);
  for (const { pod, uid, at } of deaths) {
    const plan = known.find((kill) => kill.plan?.podUid === uid)?.plan;
    if (!plan) wrong.push(`${pod} died and no plan in the result names it`);
    else if (at > plan.notAfter && !cell.landsLate)
      wrong.push(`${pod} died ${at - plan.notAfter} ms after its notAfter`);
  }
  for (const [index, { at }] of deaths.entries()) {
    const before = deaths[index - 1];
    if (before && at - before.at < intervalMs / 2) wrong.push(`two kills within ${at - before.at} ms`);
  }
  if (result.verdict === 'Pass' && deaths.length !== planned)
    wrong.push(`Pass with ${deaths.length} of ${planned} deaths`);
  for (const { kind, name, reason } of result.leftovers)
    wrong.push(`left, it says: ${kind} ${name}: ${reason}`);
  return wrong;
}
