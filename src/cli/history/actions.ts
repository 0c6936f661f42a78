import type { BilledActions } from '../../experiment/billed-actions.ts';
import type { RawEvent } from './decode.ts';

/** A scheduled start is billed as the start and the schedule's two. */
const scheduledStart = 3;

/** Written by the SDK for code that has changed; it and its search attribute are free. */
const patchMarker = 'core_patch';
const patchAttribute = 'TemporalChangeVersion';

/**
 * The Actions that Temporal Cloud bills for what stands in a run's histories, by kind. Heartbeats, queries and refused updates leave
 * no event and are not among them.
 */
export function actionsOf(events: Iterable<RawEvent>): BilledActions {
  const actions: BilledActions = {};
  /** Markers of one workflow task are billed together; events are counted from 1 in each history. */
  const markedTasks = new Set<string>();
  for (const event of events) {
    const [kind, count] = billed(event, markedTasks) ?? [];
    if (kind && count) actions[kind] = (actions[kind] ?? 0) + count;
  }
  return actions;
}

function billed(event: RawEvent, markedTasks: Set<string>): [keyof BilledActions, number] | undefined {
  const started = event.workflowExecutionStartedEventAttributes;
  if (started) {
    markedTasks.clear();
    const scheduled = started.searchAttributes?.indexedFields?.TemporalScheduledById !== undefined;
    if ((started.attempt ?? 1) > 1) return undefined;
    return ['starts', scheduled && !started.continuedExecutionRunId ? scheduledStart : 1];
  }
  if (event.activityTaskScheduledEventAttributes) return ['activities', 1];
  const task = event.activityTaskStartedEventAttributes;
  if (task) return ['retries', (task.attempt ?? 1) - 1];
  if (event.timerStartedEventAttributes) return ['timers', 1];
  if (
    event.workflowExecutionSignaledEventAttributes ??
    event.signalExternalWorkflowExecutionInitiatedEventAttributes
  )
    return ['signals', 1];
  if (event.workflowExecutionUpdateAcceptedEventAttributes) return ['updates', 1];
  const upsert = event.upsertWorkflowSearchAttributesEventAttributes;
  if (upsert) {
    const names = Object.keys(upsert.searchAttributes?.indexedFields ?? {});
    return names.every((name) => name === patchAttribute) ? undefined : ['upserts', 1];
  }
  if (event.workflowPropertiesModifiedEventAttributes) return ['upserts', 1];
  // Of the two that a child costs, the other is its own start.
  if (event.startChildWorkflowExecutionInitiatedEventAttributes) return ['children', 1];
  const marker = event.markerRecordedEventAttributes;
  if (marker && marker.markerName !== patchMarker) {
    const taskId = String(marker.workflowTaskCompletedEventId);
    if (markedTasks.has(taskId)) return undefined;
    markedTasks.add(taskId);
    return ['markers', 1];
  }
  return undefined;
}
