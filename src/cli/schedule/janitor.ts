import { type Client, ScheduleAlreadyRunning, ScheduleNotFoundError } from '@temporalio/client';
import type { Duration } from '@temporalio/common';
import type { JanitorRequest } from '../../activities/janitor-contract.ts';

/** The id of the janitor's schedule in Temporal. */
export const janitorSchedule = 'leaderfall-janitor';

/** Rounds of the janitor by a plain Temporal Schedule; said again with another interval, that one counts. */
export async function scheduleJanitor(
  { schedule }: Client,
  { interval, taskQueue, request }: { interval: string; taskQueue: string; request: JanitorRequest },
): Promise<{ scheduleId: string; change: 'created' | 'updated' }> {
  const scheduleId = janitorSchedule;
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

/** Whether the janitor's schedule is there and runs. */
export async function janitorState({ schedule }: Client): Promise<'active' | 'paused' | 'missing'> {
  try {
    return (await schedule.getHandle(janitorSchedule).describe()).state.paused ? 'paused' : 'active';
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return 'missing';
    throw error;
  }
}
