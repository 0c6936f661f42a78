import { setTimeout as delay } from 'node:timers/promises';
import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import type { Asked } from '../experiment/steering.ts';
import { unlessOver } from './lock.ts';

/** Visibility shows a run some time after its start; none that is older can be missing from a list. ms */
const visibilityMs = 5_000;

const listAgainMs = 500;

/** What came of stopping all runs. */
export interface Stopping {
  /** Runs that were asked to stop. */
  asked: number;
  /** From the call to the answer to the last of the first requests, ms. */
  askedMs: number;
  /** Ids of runs that are still not over. */
  left: string[];
}

/**
 * Asks every run to stop and waits until all are over, for `patienceMs` at most. Under a lock: what begins meanwhile is refused by it, and
 * what began just before is listed while this waits.
 */
export async function stopAll(client: Client, asked: Asked, patienceMs: number): Promise<Stopping> {
  const began = Date.now();
  const told = new Set<string>();
  let askedMs: number | undefined;
  for (;;) {
    const live = await liveRuns(client);
    const news = live.filter(({ runId }) => !told.has(runId));
    const answers = await Promise.allSettled(news.map((run) => abort(client, run, asked)));
    for (const [index, { status }] of answers.entries()) {
      const run = news[index];
      if (run && status === 'fulfilled') told.add(run.runId);
    }
    askedMs ??= Date.now() - began;
    const waited = Date.now() - began;
    const over = live.length === 0 && waited >= visibilityMs;
    if (over || waited >= Math.max(patienceMs, visibilityMs)) {
      return { asked: told.size, askedMs, left: live.map(({ workflowId }) => workflowId) };
    }
    await delay(listAgainMs);
  }
}

async function liveRuns({ workflow }: Client): Promise<WorkflowExecutionInfo[]> {
  const query = 'WorkflowType = "kafkaBrokerFailure" AND ExecutionStatus = "Running"';
  const runs: WorkflowExecutionInfo[] = [];
  for await (const run of workflow.list({ query })) runs.push(run);
  return runs;
}

/** The signal, not the update: it reaches a run whose worker is away. */
async function abort({ workflow }: Client, run: WorkflowExecutionInfo, asked: Asked): Promise<void> {
  await unlessOver(workflow.getHandle(run.workflowId, run.runId).signal('abort', asked));
}
