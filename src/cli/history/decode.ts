import type { LoadedDataConverter } from '@temporalio/common';
import {
  decodeArrayFromPayloads,
  decodeOptionalFailureToOptionalError,
} from '@temporalio/common/lib/internal-non-workflow/index.js';
import type { temporal } from '@temporalio/proto';
import type { Problem } from '../../experiment/errors.ts';
import { problemOfFailure } from '../../workflows/failure.ts';
import type { RunEvent } from './run-event.ts';

/** One event as Temporal's API gives it. */
export type RawEvent = temporal.api.history.v1.IHistoryEvent;

type Payloads = temporal.api.common.v1.IPayloads | null | undefined;
type Failure = temporal.api.failure.v1.IFailure | null | undefined;

/** Makes run events of raw ones, in order. Remembers the activity of each scheduled event, so one decoder serves one run. */
export function eventDecoder(
  converter: LoadedDataConverter,
): (event: RawEvent) => Promise<RunEvent | undefined> {
  const activities = new Map<string, string>();
  const first = async (payloads: Payloads) =>
    (await decodeArrayFromPayloads(converter, payloads?.payloads))[0];
  const problemIn = async (failure: Failure): Promise<Problem> =>
    problemOfFailure(await decodeOptionalFailureToOptionalError(converter, failure));

  return async (event) => {
    const at = timeOf(event.eventTime);
    const activityOf = (id: unknown) => activities.get(String(id)) ?? 'unknown';

    if (event.workflowExecutionStartedEventAttributes) {
      const { input, taskQueue } = event.workflowExecutionStartedEventAttributes;
      return { kind: 'started', at, input: await first(input), taskQueue: taskQueue?.name ?? '' };
    }
    if (event.activityTaskScheduledEventAttributes) {
      const { activityType, input } = event.activityTaskScheduledEventAttributes;
      const activity = activityType?.name ?? 'unknown';
      activities.set(String(event.eventId), activity);
      return { kind: 'scheduled', at, activity, input: await first(input) };
    }
    if (event.activityTaskCompletedEventAttributes) {
      const { scheduledEventId, result } = event.activityTaskCompletedEventAttributes;
      return { kind: 'completed', at, activity: activityOf(scheduledEventId), result: await first(result) };
    }
    const broken = event.activityTaskFailedEventAttributes ?? event.activityTaskTimedOutEventAttributes;
    if (broken) {
      const { scheduledEventId, failure } = broken;
      return {
        kind: 'failed',
        at,
        activity: activityOf(scheduledEventId),
        problem: await problemIn(failure),
      };
    }
    if (event.activityTaskCanceledEventAttributes) {
      const { scheduledEventId } = event.activityTaskCanceledEventAttributes;
      return { kind: 'canceled', at, activity: activityOf(scheduledEventId) };
    }
    if (event.timerStartedEventAttributes) {
      const { startToFireTimeout } = event.timerStartedEventAttributes;
      const summary = event.userMetadata?.summary;
      const text = summary ? await first({ payloads: [summary] }) : undefined;
      const ms = Number(startToFireTimeout?.seconds ?? 0) * 1_000 + (startToFireTimeout?.nanos ?? 0) / 1e6;
      return { kind: 'timer', at, ms, ...(text === undefined ? {} : { summary: String(text) }) };
    }
    if (event.workflowExecutionCancelRequestedEventAttributes) {
      const { identity } = event.workflowExecutionCancelRequestedEventAttributes;
      return { kind: 'cancel-requested', at, ...(identity ? { identity } : {}) };
    }
    if (event.workflowTaskFailedEventAttributes) {
      return {
        kind: 'task-failed',
        at,
        message: event.workflowTaskFailedEventAttributes.failure?.message ?? 'unknown',
      };
    }
    return await closing(event, at, problemIn);
  };
}

async function closing(
  event: RawEvent,
  at: number,
  problemIn: (failure: Failure) => Promise<Problem>,
): Promise<RunEvent | undefined> {
  if (event.workflowExecutionCompletedEventAttributes) return { kind: 'closed', at, status: 'completed' };
  if (event.workflowExecutionFailedEventAttributes) {
    const { failure, newExecutionRunId } = event.workflowExecutionFailedEventAttributes;
    const problem = await problemIn(failure);
    return {
      kind: 'closed',
      at,
      status: 'failed',
      problem,
      ...(newExecutionRunId ? { nextRunId: newExecutionRunId } : {}),
    };
  }
  if (event.workflowExecutionCanceledEventAttributes) return { kind: 'closed', at, status: 'canceled' };
  if (event.workflowExecutionTerminatedEventAttributes) {
    const { reason } = event.workflowExecutionTerminatedEventAttributes;
    return { kind: 'closed', at, status: 'terminated', ...(reason ? { reason } : {}) };
  }
  if (event.workflowExecutionTimedOutEventAttributes) return { kind: 'closed', at, status: 'timed-out' };
  if (event.workflowExecutionContinuedAsNewEventAttributes) {
    const { newExecutionRunId } = event.workflowExecutionContinuedAsNewEventAttributes;
    return {
      kind: 'closed',
      at,
      status: 'continued-as-new',
      ...(newExecutionRunId ? { nextRunId: newExecutionRunId } : {}),
    };
  }
  return undefined;
}

function timeOf(stamp: { seconds?: unknown; nanos?: number | null } | null | undefined): number {
  return Number(stamp?.seconds ?? 0) * 1_000 + Math.floor((stamp?.nanos ?? 0) / 1e6);
}
