import type { Command } from 'commander';
import { problem } from '../../experiment/errors.ts';
import { lockText } from '../../experiment/lock.ts';
import type { Asked } from '../../experiment/steering.ts';
import type { TemporalAccess } from '../connect-temporal.ts';
import { placeLock, removeLock } from '../lock.ts';
import { type Stopping, stopAll } from '../stop-all.ts';
import { positiveSeconds, withTemporal } from './shared.ts';

interface StopOptions {
  all?: boolean;
  reason: string;
  actor?: string;
  timeout: number;
}

/** Runs clean up for minutes where they made a Kafka of their own. */
const patienceSeconds = 600;

/** `leaderfall stop --all` */
export function addStop(program: Command, exit: (code: number) => void): void {
  asking(program.command('stop').description('stop every run of the Temporal namespace: verdict Stopped'))
    .option('--all', 'every run, whoever started it')
    .action(async (options: StopOptions) => {
      if (!options.all) {
        throw problem('INPUT_INVALID', 'stop means every run and wants to be told so', {
          next: 'leaderfall stop --all --reason …; for one run: leaderfall abort <workflow-id>',
        });
      }
      exit(await withTemporal((access) => stop(access, options)));
    });
}

/** `leaderfall lock` */
export function addLock(program: Command, exit: (code: number) => void): void {
  asking(
    program
      .command('lock')
      .description('stop every run, and let none begin until unlock, whatever starts it'),
  ).action(async (options: StopOptions) => {
    exit(await withTemporal((access) => lock(access, options)));
  });
}

/** `leaderfall unlock` */
export function addUnlock(program: Command): void {
  program
    .command('unlock')
    .description('let runs begin again')
    .option('--reason <text>', 'why; kept with the lock', 'not given')
    .option('--actor <name>', 'who asks; kept with the reason (default: the user of this machine)')
    .action(async (options: Pick<StopOptions, 'actor' | 'reason'>) => {
      const lock = await withTemporal(({ client }) => removeLock(client, askedBy(options)));
      process.stdout.write(lock ? `unlocked; it was ${lockText(lock)}\n` : 'not locked\n');
    });
}

function asking(command: Command): Command {
  return command
    .requiredOption('--reason <text>', 'why; kept in every run')
    .option('--actor <name>', 'who asks; kept with the reason (default: the user of this machine)')
    .option(
      '--timeout <seconds>',
      'wait so long for the clean-up of the runs',
      positiveSeconds,
      patienceSeconds,
    )
    .addHelpText('after', '\nExit codes: 0 every run is over, 1 some still clean up, 3 Error.');
}

/** Locked while it works, so that no run slips through between two lists. */
async function stop({ client }: TemporalAccess, options: StopOptions): Promise<number> {
  const asked = askedBy(options);
  const unlock = await placeLock(client, asked, false);
  const stopping = await stopAll(client, asked, options.timeout * 1_000);
  if (stopping.left.length > 0) return report(stopping, 'locked until: leaderfall unlock');
  await unlock?.(`every run is over, asked by ${asked.actor}: ${asked.reason}`);
  return report(stopping, unlock ? 'runs may begin again' : 'it was locked before and stays so');
}

async function lock({ client }: TemporalAccess, options: StopOptions): Promise<number> {
  const asked = askedBy(options);
  await placeLock(client, asked, true);
  return report(await stopAll(client, asked, options.timeout * 1_000), 'locked until: leaderfall unlock');
}

function report({ asked, askedMs, left }: Stopping, then: string): number {
  const still = left.length > 0 ? `; not over: ${left.join(', ')}` : '';
  process.stdout.write(`${asked} runs asked to stop within ${askedMs} ms${still}; ${then}\n`);
  return left.length > 0 ? 1 : 0;
}

function askedBy({
  actor = process.env.USER ?? 'not given',
  reason,
}: Pick<StopOptions, 'actor' | 'reason'>): Asked {
  return { actor, reason };
}
