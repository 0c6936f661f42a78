import {
  type Client,
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  WorkflowFailedError,
  WorkflowNotFoundError,
} from '@temporalio/client';
import type { Duration } from '@temporalio/common';
import type { JanitorRequest } from '../../activities/janitor-contract.ts';
import type { Problem } from '../../experiment/errors.ts';
import { problemOfFailure } from '../../workflows/failure.ts';
import { defaultTaskQueue } from '../start-run.ts';

/** The id, in Temporal, of the schedule by which the janitor makes its rounds on that task queue: each environment has one of its own. */
export function janitorSchedule(taskQueue: string): string {
  return taskQueue === defaultTaskQueue ? 'leaderfall-janitor' : `leaderfall-janitor-${taskQueue}`;
}

/** Rounds of the janitor by a plain Temporal Schedule, one for each task queue; said again with another interval, that one counts. */
export async function scheduleJanitor(
  { schedule }: Client,
  { interval, taskQueue, request }: { interval: string; taskQueue: string; request: JanitorRequest },
): Promise<{ scheduleId: string; change: 'created' | 'updated' }> {
  const scheduleId = janitorSchedule(taskQueue);
  const wanted = {
    spec: { intervals: [{ every: interval as Duration }] },
    action: {
      type: 'startWorkflow' as const,
      workflowType: 'janitor',
      workflowId: scheduleId,
      taskQueue,
      args: [request],
    },
    // A round that is still going sees what the next one would.
    policies: { overlap: 'SKIP' as const, catchupWindow: '1m' as Duration },
  };
  try {
    await schedule.create({ scheduleId, ...wanted });
    return { scheduleId, change: 'created' };
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
  await schedule.getHandle(scheduleId).update(({ state }) => ({ ...wanted, state }));
  return { scheduleId, change: 'updated' };
}

/** Whether the janitor's schedule of a task queue is there and runs, and why its last round failed, where that is known. */
export async function janitorState(
  client: Client,
  taskQueue: string,
): Promise<{ state: 'active' | 'paused' | 'missing'; failed?: Problem }> {
  try {
    const { state, info } = await client.schedule.getHandle(janitorSchedule(taskQueue)).describe();
    const last = info.recentActions.at(-1)?.action.workflow;
    const failed = last && (await whyFailed(client, last.workflowId, last.firstExecutionRunId));
    return { state: state.paused ? 'paused' : 'active', ...(failed ? { failed } : {}) };
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return { state: 'missing' };
    throw error;
  }
}

/** Undefined for a round that goes on, that did not fail, or that Temporal keeps no longer. */
async function whyFailed(client: Client, workflowId: string, runId: string): Promise<Problem | undefined> {
  const handle = client.workflow.getHandle(workflowId, runId);
  try {
    const { status } = await handle.describe();
    if (status.name !== 'FAILED' && status.name !== 'TIMED_OUT') return undefined;
    await handle.result();
  } catch (error) {
    if (error instanceof WorkflowFailedError) return problemOfFailure(error.cause);
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
  return undefined;
}
