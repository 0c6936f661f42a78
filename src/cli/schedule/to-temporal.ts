import { createHash } from 'node:crypto';
import type { ScheduleOptions, ScheduleOptionsStartWorkflowAction } from '@temporalio/client';
import type { Duration, Workflow } from '@temporalio/common';
import { detailsOf, summaryOf } from '../../experiment/describe.ts';
import { parseExperiment } from '../../experiment/parse.ts';
import type { Recurrence } from '../../experiment/recurrence.ts';
import { digestMemo, pauseOnMemo } from '../../experiment/scheduled.ts';
import { canonicalJson } from '../../experiment/spec-hash.ts';

/** A plain Temporal Schedule: nothing in it needs Leaderfall to be read, edited or run. */
export type PlainSchedule = ScheduleOptions<ScheduleOptionsStartWorkflowAction<Workflow>>;

/** Memo of schedules that files own; only these are pruned. */
export const managedMemo = 'LeaderfallManaged';

/** The Temporal Schedule of a recurrence. Its runs have the input that a person would give to `leaderfall run`. */
export function toTemporal(recurrence: Recurrence): PlainSchedule {
  const { name, when, experiment, taskQueue, pauseOn, paused, note, catchUp } = recurrence;
  const parsed = parseExperiment(experiment).experiment;
  return {
    scheduleId: name,
    spec: {
      cronExpressions: when.cron,
      intervals: when.every.map(({ interval, offset }) => ({
        every: interval as Duration,
        ...(offset ? { offset: offset as Duration } : {}),
      })),
      calendars: when.calendar as NonNullable<ScheduleOptions['spec']['calendars']>,
      skip: when.except as NonNullable<ScheduleOptions['spec']['skip']>,
      timezone: when.timeZone,
      ...(when.jitter ? { jitter: when.jitter as Duration } : {}),
    },
    action: {
      type: 'startWorkflow',
      workflowType: 'kafkaBrokerFailure',
      workflowId: name,
      taskQueue,
      args: [experiment],
      staticSummary: summaryOf(parsed),
      staticDetails: detailsOf(parsed),
      memo: { [digestMemo]: digestOf(recurrence), ...(pauseOn.length > 0 ? { [pauseOnMemo]: pauseOn } : {}) },
    },
    // Two runs on one cluster would only refuse each other; what was missed for long is left out, not made up for.
    policies: { overlap: 'SKIP', catchupWindow: catchUp as Duration },
    state: { paused, ...(note === undefined ? {} : { note }) },
    memo: { [managedMemo]: true },
  };
}

/** Digest of a recurrence, the same for every order of its fields. */
export function digestOf(recurrence: Recurrence): string {
  return createHash('sha256').update(canonicalJson(recurrence)).digest('hex').slice(0, 16);
}
