import {
  type Client,
  isGrpcServiceError,
  ScheduleAlreadyRunning,
  type ScheduleDescription,
  ScheduleNotFoundError,
  ServiceError,
} from '@temporalio/client';
import { problem } from '../../experiment/errors.ts';
import type { Recurrence } from '../../experiment/recurrence.ts';
import { digestMemo } from '../../experiment/scheduled.ts';
import { managedMemo, toTemporal } from './to-temporal.ts';

/** gRPC status. */
const invalidArgument = 3;

/** One schedule of ours as Temporal lists it. */
export interface ScheduleRow {
  name: string;
  paused: boolean;
  note?: string;
  /** RFC 3339, the next few starts. */
  next: string[];
  /** Runs started lately, newest last. */
  recent: { at: string; workflowId: string }[];
  /** Owned by files that `schedule apply` was given. */
  managed: boolean;
}

/** Schedules that start our workflow, by name. Visibility is a second or two behind. */
export async function listSchedules({ schedule }: Client): Promise<ScheduleRow[]> {
  const rows: ScheduleRow[] = [];
  for await (const { scheduleId, action, state, info, memo } of schedule.list()) {
    if (action?.type !== 'startWorkflow' || action.workflowType !== 'kafkaBrokerFailure') continue;
    rows.push({
      name: scheduleId,
      paused: state.paused,
      ...(state.note ? { note: state.note } : {}),
      next: info.nextActionTimes.map((at) => at.toISOString()),
      recent: info.recentActions.map(({ takenAt, action: { workflow } }) => ({
        at: takenAt.toISOString(),
        workflowId: workflow.workflowId,
      })),
      managed: memo?.[managedMemo] === true,
    });
  }
  return rows.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Makes a schedule. Throws INPUT_INVALID where one of that name is there. */
export async function createSchedule({ schedule }: Client, recurrence: Recurrence): Promise<void> {
  try {
    await accepted(() => schedule.create(toTemporal(recurrence)));
  } catch (cause) {
    if (!(cause instanceof ScheduleAlreadyRunning)) throw cause;
    throw problem('INPUT_INVALID', `a schedule ${recurrence.name} is there already`, {
      evidence: ['name'],
      next: `leaderfall schedule update -f FILE, or leaderfall schedule delete ${recurrence.name}`,
      cause,
    });
  }
}

/**
 * Gives a schedule what the file says. Whether it is paused stays as it is, for a run or a person may have paused it with cause.
 * Throws INPUT_INVALID where there is none of that name.
 */
export async function updateSchedule(client: Client, recurrence: Recurrence): Promise<void> {
  const { spec, action, policies } = toTemporal(recurrence);
  await known(recurrence.name, () =>
    accepted(() =>
      client.schedule.getHandle(recurrence.name).update(({ state }) => ({
        spec,
        action,
        ...(policies ? { policies } : {}),
        state: { paused: state.paused, ...(state.note ? { note: state.note } : {}) },
      })),
    ),
  );
}

/** What only Temporal can tell to be wrong, such as a cron expression, is the input's fault. Throws INPUT_INVALID. */
async function accepted<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    const status = cause instanceof ServiceError ? cause.cause : cause;
    if (!isGrpcServiceError(status) || status.code !== invalidArgument) throw cause;
    throw problem('INPUT_INVALID', `Temporal refuses the schedule: ${status.details}`, {
      evidence: ['when'],
      next: 'Correct the times of the schedule.',
      cause,
    });
  }
}

/** A schedule as Temporal has it, with the digest of the file that it was made from. */
export async function describeSchedule(
  client: Client,
  name: string,
): Promise<{ description: ScheduleDescription; digest?: string }> {
  const description = await known(name, () => client.schedule.getHandle(name).describe());
  const digest = description.action.memo?.[digestMemo];
  return { description, ...(typeof digest === 'string' ? { digest } : {}) };
}

/** Does something with a schedule. Throws INPUT_INVALID where there is none of that name. */
export async function known<T>(name: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    if (!(cause instanceof ScheduleNotFoundError)) throw cause;
    throw problem('INPUT_INVALID', `there is no schedule ${name}`, {
      next: 'leaderfall schedule list shows them.',
      cause,
    });
  }
}
