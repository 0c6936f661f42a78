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
import { appliedOf, digestOf, toTemporal } from './to-temporal.ts';

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
}

/** Schedules that start our workflow, by name. Visibility is a second or two behind. */
export async function listSchedules({ schedule }: Client): Promise<ScheduleRow[]> {
  const rows: ScheduleRow[] = [];
  for await (const { scheduleId, action, state, info } of schedule.list()) {
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
    });
  }
  return rows.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Makes a schedule. Throws INPUT_INVALID where one of that name is there. */
export async function createSchedule(client: Client, recurrence: Recurrence, owner?: string): Promise<void> {
  try {
    await accepted(() => client.schedule.create(toTemporal(recurrence, owner ? { owner } : {})));
    await write(client, recurrence, owner);
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
 * Without `owner` it keeps the one it has. Throws INPUT_INVALID where there is none of that name, or it starts no experiment of ours.
 */
export async function updateSchedule(client: Client, recurrence: Recurrence, owner?: string): Promise<void> {
  const found = await ownSchedule(client, recurrence.name, ['kafkaBrokerFailure']);
  const kept = owner ?? appliedOf(found)?.owner;
  await accepted(() => write(client, recurrence, kept, { anew: true }));
  await write(client, recurrence, kept);
}

/** Writes a schedule, which is there, with the digest of the times that Temporal has of it; `anew`: those are other ones. */
async function write(
  client: Client,
  recurrence: Recurrence,
  owner: string | undefined,
  { anew = false }: { anew?: boolean } = {},
): Promise<void> {
  await client.schedule.getHandle(recurrence.name).update((found) => {
    const { spec, action, policies } = toTemporal(recurrence, {
      ...(owner ? { owner } : {}),
      ...(anew ? {} : { spec: digestOf(found) }),
    });
    const { paused, note } = found.state;
    return {
      ...{ spec, action, state: { paused, ...(note ? { note } : {}) } },
      ...(policies ? { policies } : {}),
    };
  });
}

/** Workflows that schedules of ours start. */
const ownWorkflows = ['kafkaBrokerFailure', 'janitor'];

/** A schedule as Temporal has it. Throws INPUT_INVALID where there is none of that name, or it starts a workflow of another type. */
export async function ownSchedule(
  client: Client,
  name: string,
  types = ownWorkflows,
): Promise<ScheduleDescription> {
  const found = await describeSchedule(client, name);
  const { workflowType } = found.action;
  if (types.includes(workflowType)) return found;
  throw problem('INPUT_INVALID', foreignText(name, workflowType), {
    next: 'Change it where it was made, or choose another name.',
  });
}

/** Why a schedule is left as it is. */
export function foreignText(name: string, workflowType: string): string {
  return workflowType === 'janitor'
    ? `schedule ${name} is the janitor's`
    : `schedule ${name} is not of Leaderfall: it starts ${workflowType}`;
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

/** Any schedule as Temporal has it. Throws INPUT_INVALID where there is none of that name. */
export async function describeSchedule(client: Client, name: string): Promise<ScheduleDescription> {
  try {
    return await client.schedule.getHandle(name).describe();
  } catch (cause) {
    if (!(cause instanceof ScheduleNotFoundError)) throw cause;
    throw problem('INPUT_INVALID', `there is no schedule ${name}`, {
      next: 'leaderfall schedule list shows them.',
      cause,
    });
  }
}
