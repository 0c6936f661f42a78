import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ScheduleHandle } from '@temporalio/client';
import type { Command } from 'commander';
import { problem } from '../../experiment/errors.ts';
import { readExperimentText } from '../../experiment/read.ts';
import { parseRecurrence, type Recurrence } from '../../experiment/recurrence.ts';
import { plainTable } from '../listed.ts';
import { applySchedules } from '../schedule/apply.ts';
import { differenceText } from '../schedule/differences.ts';
import {
  createSchedule,
  describeSchedule,
  listSchedules,
  ownSchedule,
  type ScheduleRow,
  updateSchedule,
} from '../schedule/schedules.ts';
import { withTemporal } from './shared.ts';

/** `leaderfall schedule …` */
export function addSchedule(program: Command): void {
  const schedule = program
    .command('schedule')
    .description('runs that start by themselves: plain Temporal Schedules, which the Web UI shows and edits');
  const say = (text: string) => process.stdout.write(`${text}\n`);

  for (const [verb, act] of [
    ['create', createSchedule],
    ['update', updateSchedule],
  ] as const) {
    schedule
      .command(verb)
      .description(verb === 'create' ? 'make a schedule' : 'give a schedule what the file says now')
      .requiredOption('-f, --file <file>', 'YAML or JSON: name, when, experiment …')
      .action(async ({ file }: { file: string }) => {
        const recurrence = await readRecurrence(file);
        await withTemporal(({ client }) => act(client, recurrence));
        say(`schedule ${recurrence.name} ${verb}d`);
      });
  }

  schedule
    .command('apply')
    .description('bring Temporal to what the files of a folder say; the same again changes nothing')
    .requiredOption('-f, --folder <folder>', 'every .yaml, .yml and .json in it is one schedule')
    .option('--owner <name>', 'whose files these are; kept with each schedule')
    .option('--prune', 'delete schedules that this owner applied and that are in none of the files', false)
    .option('--diff', 'only say what would be done, and how Temporal differs', false)
    .action(async (options: { folder: string; owner?: string; prune: boolean; diff: boolean }) => {
      const wanted = await readFolder(options.folder);
      const changes = await withTemporal(({ client }) => applySchedules(client, wanted, options));
      for (const { name, change, differences = [] } of changes) {
        say(`${change === 'none' ? 'as it is' : change}: ${name}`);
        for (const difference of differences) say(`  ${differenceText(difference)}`);
      }
    });

  schedule
    .command('list')
    .description('schedules of this Temporal namespace')
    .option('--json', 'write them as JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const rows = await withTemporal(({ client }) => listSchedules(client));
      say(json ? JSON.stringify(rows, null, 2) : tableOf(rows));
    });

  schedule
    .command('describe')
    .description('one schedule as Temporal has it, as JSON')
    .argument('<name>')
    .action(async (name: string) => {
      const found = await withTemporal(({ client }) => describeSchedule(client, name));
      const { scheduleId, spec, action, policies, state, info } = found;
      say(JSON.stringify({ name: scheduleId, spec, action, policies, state, info }, null, 2));
    });

  for (const [verb, description] of [
    ['pause', 'start no runs until resume'],
    ['resume', 'start runs again'],
  ] as const) {
    schedule
      .command(verb)
      .description(description)
      .argument('<name>')
      .option('--note <text>', 'why', `${verb}d from the command line`)
      .action(async (name: string, { note }: { note: string }) => {
        await withHandle(name, (handle) => (verb === 'pause' ? handle.pause(note) : handle.unpause(note)));
        say(`schedule ${name} ${verb}d`);
      });
  }

  schedule
    .command('trigger')
    .description('start a run of a schedule now, unless one is under way')
    .argument('<name>')
    .action(async (name: string) => {
      await withHandle(name, (handle) => handle.trigger('SKIP'));
      say(`a run of ${name} is asked for; leaderfall list shows it`);
    });

  schedule
    .command('delete')
    .description('remove a schedule; runs under way go on')
    .argument('<name>')
    .action(async (name: string) => {
      await withHandle(name, (handle) => handle.delete());
      say(`schedule ${name} deleted`);
    });
}

/** Does something with a schedule of ours. */
async function withHandle(name: string, act: (handle: ScheduleHandle) => Promise<unknown>): Promise<void> {
  await withTemporal(async ({ client }) => {
    await ownSchedule(client, name);
    await act(client.schedule.getHandle(name));
  });
}

async function readRecurrence(file: string): Promise<Recurrence> {
  try {
    return parseRecurrence(readExperimentText(await readFile(file, 'utf8')));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    throw problem('INPUT_INVALID', `${file} cannot be read`, {
      evidence: [(error as Error).message],
      next: 'Name a YAML or JSON file with -f.',
      cause: error,
    });
  }
}

async function readFolder(folder: string): Promise<Recurrence[]> {
  const names = await readdir(folder).catch((cause: Error) => {
    throw problem('INPUT_INVALID', `${folder} cannot be read`, { evidence: [cause.message], cause });
  });
  const files = names.filter((name) => /\.(ya?ml|json)$/.test(name)).sort();
  return await Promise.all(files.map((name) => readRecurrence(join(folder, name))));
}

function tableOf(rows: ScheduleRow[]): string {
  if (rows.length === 0) return 'no schedules';
  const cells = rows.map(({ name, paused, note, next, recent }) => {
    const state = paused ? `paused${note ? `: ${note}` : ''}` : 'active';
    return [name, state, next[0]?.slice(0, 19).replace('T', ' ') ?? '', recent.at(-1)?.workflowId ?? ''];
  });
  return plainTable(['schedule', 'state', 'next start', 'last run'], cells);
}
