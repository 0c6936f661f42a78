import type { Client } from '@temporalio/client';
import { inputInvalid } from '../../experiment/issues.ts';
import type { Recurrence } from '../../experiment/recurrence.ts';
import { createSchedule, describeSchedule, listSchedules, updateSchedule } from './schedules.ts';
import { digestOf } from './to-temporal.ts';

/** What has to be done with one schedule so that Temporal has what the files say. */
export interface Change {
  name: string;
  change: 'create' | 'update' | 'delete' | 'none';
}

/** A schedule that is there: its name, the digest of the file that it was made from, and whether files own it. */
export interface Present {
  name: string;
  digest?: string;
  managed: boolean;
}

/** What differs between files and Temporal. With `prune`, managed schedules that no file names any more are deleted. */
export function changesOf(wanted: Recurrence[], present: Present[], prune: boolean): Change[] {
  const byName = new Map(present.map((one) => [one.name, one]));
  const names = new Set(wanted.map(({ name }) => name));
  return [
    ...wanted.map((recurrence): Change => {
      const { name } = recurrence;
      const found = byName.get(name);
      if (!found) return { name, change: 'create' };
      return { name, change: found.digest === digestOf(recurrence) ? 'none' : 'update' };
    }),
    ...present
      .filter(({ name, managed }) => prune && managed && !names.has(name))
      .map(({ name }): Change => ({ name, change: 'delete' })),
  ];
}

/** Brings Temporal to what the files say and gives what was done; with `diff`, what would be. The same again changes nothing. */
export async function applySchedules(
  client: Client,
  wanted: Recurrence[],
  { prune, diff }: { prune: boolean; diff: boolean },
): Promise<Change[]> {
  const twice = wanted.filter(({ name }, index) => wanted.findIndex((other) => other.name === name) < index);
  if (twice.length > 0) throw inputInvalid(twice.map(({ name }) => `name: ${name} is given by two files`));
  const changes = changesOf(wanted, await presentOf(client, wanted), prune);
  if (diff) return changes;
  const recurrenceOf = new Map(wanted.map((recurrence) => [recurrence.name, recurrence]));
  for (const { name, change } of changes) {
    const recurrence = recurrenceOf.get(name);
    if (change === 'create' && recurrence) await createSchedule(client, recurrence);
    if (change === 'update' && recurrence) await updateSchedule(client, recurrence);
    if (change === 'delete') await client.schedule.getHandle(name).delete();
  }
  return changes;
}

/** The wanted schedules are asked for one by one, because lists are a moment behind what was just made. */
async function presentOf(client: Client, wanted: Recurrence[]): Promise<Present[]> {
  const listed = await listSchedules(client);
  const names = new Set([...listed, ...wanted].map(({ name }) => name));
  const found = await Promise.all(
    [...names].map(async (name): Promise<Present[]> => {
      const asked = await describeSchedule(client, name).catch(() => undefined);
      if (!asked) return [];
      const managed = listed.find((row) => row.name === name)?.managed ?? true;
      return [{ name, managed, ...(asked.digest ? { digest: asked.digest } : {}) }];
    }),
  );
  return found.flat();
}
