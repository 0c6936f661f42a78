import type { ScheduleDescription } from '@temporalio/client';
import { millisecondsOf } from '../../experiment/durations.ts';
import type { Recurrence } from '../../experiment/recurrence.ts';
import { pauseOnMemo } from '../../experiment/scheduled.ts';
import { canonicalJson } from '../../experiment/spec-hash.ts';
import { appliedOf, digestOf } from './to-temporal.ts';

/** What of a schedule is not as its file says. */
export interface Difference {
  field: string;
  /** In Temporal. */
  from: unknown;
  /** In the file. */
  to: unknown;
}

/** A schedule as Temporal has it, as far as files say it. */
export type Described = Pick<ScheduleDescription, 'action' | 'spec' | 'policies'>;

/**
 * How a schedule in Temporal differs from its file, changes that were made in the Web UI included. Whether it is paused is not
 * compared: a run or a person may have paused it with cause.
 */
export function differencesOf(
  { name, when, experiment, taskQueue, catchUp, pauseOn }: Recurrence,
  found: Described,
  owner?: string,
): Difference[] {
  const { action, policies } = found;
  const applied = appliedOf(found);
  const written = differing('when', applied?.when, when);
  // Where the file says the same still, somebody else has changed it.
  const moved = written.length === 0 && applied?.spec !== digestOf(found);
  return [
    ...written,
    ...(moved ? [{ field: 'when', from: 'changed in Temporal', to: 'as it was applied' }] : []),
    ...differing('experiment', action.args?.[0], experiment),
    ...differing('taskQueue', action.taskQueue, taskQueue),
    ...differing('catchUp (ms)', policies.catchupWindow, millisecondsOf(catchUp)),
    ...differing('pauseOn', action.memo?.[pauseOnMemo] ?? [], pauseOn),
    ...differing('workflowId', action.workflowId, name),
    ...differing('overlap', policies.overlap, 'SKIP'),
    ...differing('pauseOnFailure', policies.pauseOnFailure, false),
    ...(owner === undefined ? [] : differing('owner', applied?.owner, owner)),
  ];
}

function differing(field: string, from: unknown, to: unknown): Difference[] {
  if (canonicalJson(from) === canonicalJson(to)) return [];
  if (!isObject(from) || !isObject(to)) return [{ field, from, to }];
  const names = new Set([...Object.keys(from), ...Object.keys(to)]);
  return [...names].flatMap((name) => differing(`${field}.${name}`, from[name], to[name]));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `when.cron: ["0 3 * * *"] → ["0 4 * * *"]` */
export function differenceText({ field, from, to }: Difference): string {
  const text = (value: unknown) => {
    const json = JSON.stringify(value) ?? 'nothing';
    return json.length > 120 ? `${json.slice(0, 119)}…` : json;
  };
  return `${field}: ${text(from)} → ${text(to)}`;
}
