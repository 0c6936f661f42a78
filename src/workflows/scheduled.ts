import type { WorkflowInfo } from '@temporalio/workflow';
import type { ChaosResult } from '../experiment/result.ts';
import { pauseOnMemo, pauseOnOf } from '../experiment/scheduled.ts';
import type { Story } from './story.ts';

/** The schedule that started this run, by the attribute that Temporal sets, and on which verdicts the run pauses it. */
export function scheduleOf({
  searchAttributes,
  memo,
}: Pick<WorkflowInfo, 'searchAttributes' | 'memo'>): Pick<Story, 'scheduledBy' | 'pauseOn'> {
  const [id] = searchAttributes.TemporalScheduledById ?? [];
  return typeof id === 'string' ? { scheduledBy: id, pauseOn: pauseOnOf(memo?.[pauseOnMemo]) } : {};
}

/** What a schedule passes over, because nothing was touched and the next run may find it better. */
const reasonsToSkip: ReadonlySet<string> = new Set([
  'CLUSTER_CLAIMED',
  'CLUSTER_UNHEALTHY',
  'KAFKA_UNREACHABLE',
  'LOCKED',
  'OUTSIDE_KILL_TIMES',
]);

/** Whether a scheduled run that could not begin is Skipped rather than an Error. */
export function isReasonToSkip({ scheduledBy, step, problem }: Story): boolean {
  return scheduledBy !== undefined && step === 'resolve' && reasonsToSkip.has(problem?.code ?? '');
}

/**
 * The schedule to be paused for this result. Temporal's own pauseOnFailure sees only runs that end as Failed, and a run with verdict
 * Fail is a completed one.
 */
export function pauseOf(
  { scheduledBy, pauseOn = [] }: Story,
  { verdict, reasons, run }: ChaosResult,
): { pause?: { scheduleId: string; note: string } } {
  if (!scheduledBy || !pauseOn.includes(verdict)) return {};
  const note = `paused by ${run.workflowId}, which ended ${verdict}: ${reasons[0] ?? ''}`;
  return { pause: { scheduleId: scheduledBy, note: note.slice(0, 500) } };
}
