import { type Client, ScheduleNotFoundError } from '@temporalio/client';
import { inputInvalid } from '../../experiment/issues.ts';
import type { Recurrence } from '../../experiment/recurrence.ts';
import { type Described, type Difference, differencesOf } from './differences.ts';
import { createSchedule, describeSchedule, foreignText, listSchedules, updateSchedule } from './schedules.ts';
import { appliedOf } from './to-temporal.ts';

/** What has to be done with one schedule so that Temporal has what the files say. */
export interface Change {
  name: string;
  change: 'create' | 'update' | 'delete' | 'none';
  /** Of an update. */
  differences?: Difference[];
}

/** A schedule that is there. */
export interface Present {
  name: string;
  as: Described;
}

/** Whose files these are, and whether schedules of that owner which are in none of them are deleted. */
export interface Ownership {
  owner?: string;
  prune: boolean;
}

/**
 * What differs between files and Temporal. Throws INPUT_INVALID where a name is another owner's or somebody else's, and where pruning
 * has no owner or no file to go by.
 */
export function changesOf(wanted: Recurrence[], present: Present[], { owner, prune }: Ownership): Change[] {
  const byName = new Map(present.map((one) => [one.name, one.as]));
  const names = new Set(wanted.map(({ name }) => name));
  const issues = wanted.flatMap(({ name }) => {
    const found = byName.get(name);
    return found ? refusalOf(name, found, owner) : [];
  });
  if (prune && owner === undefined)
    issues.push('--prune: needs --owner; only what that owner applied is deleted');
  if (prune && wanted.length === 0) issues.push('--prune: the folder holds no schedule at all');
  if (issues.length > 0) throw inputInvalid(issues, 'Nothing was changed.');
  return [
    ...wanted.map((recurrence): Change => {
      const { name } = recurrence;
      const found = byName.get(name);
      if (!found) return { name, change: 'create' };
      const differences = differencesOf(recurrence, found, owner);
      return differences.length === 0 ? { name, change: 'none' } : { name, change: 'update', differences };
    }),
    ...present
      .filter(({ name, as }) => prune && !names.has(name) && appliedOf(as)?.owner === owner)
      .map(({ name }): Change => ({ name, change: 'delete' })),
  ];
}

function refusalOf(name: string, found: Described, owner: string | undefined): string[] {
  const { workflowType } = found.action;
  if (workflowType !== 'kafkaBrokerFailure') return [`name: ${foreignText(name, workflowType)}`];
  const has = appliedOf(found)?.owner;
  return owner === undefined || has === undefined || has === owner
    ? []
    : [`name: schedule ${name} is of owner ${has}, not of ${owner}`];
}

/** Brings Temporal to what the files say and gives what was done; with `diff`, what would be. The same again changes nothing. */
export async function applySchedules(
  client: Client,
  wanted: Recurrence[],
  { diff, ...ownership }: Ownership & { diff: boolean },
): Promise<Change[]> {
  const twice = wanted.filter(({ name }, index) => wanted.findIndex((other) => other.name === name) < index);
  if (twice.length > 0) throw inputInvalid(twice.map(({ name }) => `name: ${name} is given by two files`));
  const changes = changesOf(wanted, await presentOf(client, wanted, ownership.prune), ownership);
  if (diff) return changes;
  const recurrenceOf = new Map(wanted.map((recurrence) => [recurrence.name, recurrence]));
  for (const { name, change } of changes) {
    const recurrence = recurrenceOf.get(name);
    if (change === 'create' && recurrence) await createSchedule(client, recurrence, ownership.owner);
    if (change === 'update' && recurrence) await updateSchedule(client, recurrence, ownership.owner);
    if (change === 'delete') await client.schedule.getHandle(name).delete();
  }
  return changes;
}

/** The wanted schedules are asked for one by one, because lists are a moment behind what was just made. */
async function presentOf(client: Client, wanted: Recurrence[], prune: boolean): Promise<Present[]> {
  const listed = prune ? await listSchedules(client) : [];
  const names = new Set([...listed, ...wanted].map(({ name }) => name));
  const found = await Promise.all(
    [...names].map(async (name): Promise<Present[]> => {
      try {
        return [{ name, as: await describeSchedule(client, name) }];
      } catch (error) {
        if (error instanceof Error && error.cause instanceof ScheduleNotFoundError) return [];
        throw error;
      }
    }),
  );
  return found.flat();
}
