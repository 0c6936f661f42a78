import { ActivityFailure, CancelledFailure, TimeoutFailure } from '@temporalio/common';
import { CancellationScope, sleep } from '@temporalio/workflow';
import type { Act, KillContext } from '../activities/contract.ts';
import type { KillPlan } from '../experiment/kill-record.ts';
import { killStep } from './activity-options.ts';
import { problemOfFailure } from './failure.ts';

/** After notAfter a dead worker is noticed, and it is waited for a request that may still be on its way. ms */
const afterFenceMs = 20_000;

/** How long it is asked what became of a kill whose answer was lost. ms */
const settleMs = 120_000;

/**
 * Makes the kill of a plan. Where its step ran out of time with its worker, or with the API server away, nobody knows whether it was
 * made: then, once no attempt may act any more, it is looked what became of the pod. That is waited for even when the run was
 * stopped meanwhile, for a worker that stood still may yet act. Undefined where even that could not be had.
 */
export async function settledKill(
  context: KillContext & { kills: number },
  plan: KillPlan,
  what: string,
): Promise<Act | undefined> {
  const untilFenced = () => Math.max(plan.notAfter - Date.now(), 0);
  let why: string | undefined;
  try {
    return await killStep(untilFenced() + afterFenceMs, what).kill({ ...context, plan });
  } catch (error) {
    why = whyLost(error);
    if (why === undefined) throw error;
  }
  return await CancellationScope.nonCancellable(async () => {
    await sleep(untilFenced() + 1, { summary: 'until no attempt of this kill may act any more' });
    try {
      const act = await killStep(settleMs, `${what}: was it made?`).kill({
        ...context,
        plan,
        answerLost: true,
      });
      return act.outcome === 'skipped' ? { ...act, reason: `${act.reason}: ${why}` } : act;
    } catch (error) {
      if (whyLost(error) === undefined) throw error;
      return undefined;
    }
  });
}

/** What a step that ran out of its time said last; undefined where it failed for another reason. */
export function whyLost(error: unknown): string | undefined {
  if (!(error instanceof ActivityFailure)) return undefined;
  const outOfTime = error.cause instanceof TimeoutFailure || error.retryState === 'TIMEOUT';
  return outOfTime ? problemOfFailure(error).message : undefined;
}

/** Whether a step may have done its work though it failed: it ran out of its time, or was cancelled before anybody heard of it. */
export function isAnswerLost(error: unknown): boolean {
  if (!(error instanceof ActivityFailure)) return false;
  return error.cause instanceof CancelledFailure || whyLost(error) !== undefined;
}
