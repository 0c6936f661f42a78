import { createHash } from 'node:crypto';
import type {
  ScheduleDescription,
  ScheduleOptions,
  ScheduleOptionsStartWorkflowAction,
} from '@temporalio/client';
import type { Duration, Workflow } from '@temporalio/common';
import { detailsOf, summaryOf } from '../../experiment/describe.ts';
import { parseExperiment } from '../../experiment/parse.ts';
import type { Recurrence } from '../../experiment/recurrence.ts';
import { appliedMemo, pauseOnMemo } from '../../experiment/scheduled.ts';
import { canonicalJson } from '../../experiment/spec-hash.ts';

/** A plain Temporal Schedule: nothing in it needs Leaderfall to be read, edited or run. */
export type PlainSchedule = ScheduleOptions<ScheduleOptionsStartWorkflowAction<Workflow>>;

/** What a schedule was made from, as its action's memo keeps it. */
export interface Applied {
  when: Recurrence['when'];
  /** Digest of what Temporal made of `when`: it keeps no cron expression as it was written. */
  spec?: string;
  /** Who has it pruned, as `schedule apply --owner` said. */
  owner?: string;
}

/** The Temporal Schedule of a recurrence. Its runs have the input that a person would give to `leaderfall run`. */
export function toTemporal(
  recurrence: Recurrence,
  { owner, spec }: Pick<Applied, 'owner' | 'spec'> = {},
): PlainSchedule {
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
      memo: {
        [appliedMemo]: { when, ...(spec ? { spec } : {}), ...(owner ? { owner } : {}) } satisfies Applied,
        ...(pauseOn.length > 0 ? { [pauseOnMemo]: pauseOn } : {}),
      },
    },
    // Two runs on one cluster would only refuse each other; what was missed for long is left out, not made up for.
    policies: { overlap: 'SKIP', catchupWindow: catchUp as Duration },
    state: { paused, ...(note === undefined ? {} : { note }) },
  };
}

/** What a schedule was made from; undefined where not by us, or by hand. */
export function appliedOf({ action }: Pick<ScheduleDescription, 'action'>): Applied | undefined {
  const kept = action.memo?.[appliedMemo];
  return typeof kept === 'object' && kept !== null ? (kept as Applied) : undefined;
}

/** Digest of the times of a schedule as Temporal has them. */
export function digestOf({ spec }: Pick<ScheduleDescription, 'spec'>): string {
  return createHash('sha256').update(canonicalJson(spec)).digest('hex').slice(0, 16);
}
