import {
  allHandlersFinished,
  condition,
  continueAsNew,
  defineUpdate,
  setHandler,
  setWorkflowOptions,
  workflowInfo,
} from '@temporalio/workflow';
import {
  type AskedKill,
  countedMs,
  ofLastHour,
  type Taken,
  type TakenKill,
  takeKill,
  takeKillUpdate,
} from '../experiment/kill-budget.ts';

/**
 * Counts the kills of the last hour over all runs of a Temporal namespace, for workers with a limit. Begins with the first kill that is
 * asked for, on the task queue of who asks, and ends when an hour has passed without one. `before`: what a former one had granted.
 */
export async function killBudget(before: TakenKill[] = []): Promise<void> {
  let taken = before;
  setHandler(defineUpdate<Taken, [AskedKill]>(takeKillUpdate), (asked): Taken => {
    const next = takeKill(taken, asked, Date.now());
    taken = next.taken;
    return next.answer;
  });
  do {
    const newest = taken.at(-1)?.at ?? Date.now();
    await condition(
      () => (taken.at(-1)?.at ?? newest) > newest || workflowInfo().continueAsNewSuggested,
      Math.max(1, newest + countedMs - Date.now()),
      { summary: 'until an hour has passed without a kill' },
    );
    taken = ofLastHour(taken, Date.now());
    if (workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished);
      await continueAsNew(taken);
    }
  } while (taken.length > 0);
}

// It need not end while kills are made, and one that stayed with its version would keep that version's workers for ever.
setWorkflowOptions(
  // A server refuses a behaviour from a worker that has no version.
  () =>
    workflowInfo().currentDeploymentVersion?.deploymentName ? { versioningBehavior: 'AUTO_UPGRADE' } : {},
  killBudget,
);
