import { setTimeout as delay } from 'node:timers/promises';
import { WorkflowFailedError } from '@temporalio/client';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { JanitorReport, JanitorRequest, SweptRun } from '../../activities/janitor-contract.ts';
import { LeaderfallError, problem } from '../../experiment/errors.ts';
import { problemOfFailure } from '../../workflows/failure.ts';
import type { TemporalAccess } from '../connect-temporal.ts';
import { plainTable } from '../listed.ts';
import { livingPollersOf } from '../progress/watch-run.ts';
import { scheduleJanitor } from '../schedule/janitor.ts';
import { defaultTaskQueue, newWorkflowId } from '../start-run.ts';
import { terminal, withTemporal } from './shared.ts';

interface JanitorOptions {
  once?: boolean;
  every?: string;
  namespace: string[];
  dryRun?: boolean;
  json?: boolean;
  taskQueue?: string;
}

/** Nobody takes the round up: said after this. ms */
const patienceMs = 5_000;

/** `leaderfall janitor` */
export function addJanitor(program: Command, exit: (code: number) => void): void {
  program
    .command('janitor')
    .description('remove what runs left that were terminated, timed out or forgotten')
    .option('--once', 'one round now')
    .addOption(
      new Option('--every <interval>', 'rounds by a Temporal Schedule, such as 10m or 1h')
        .argParser(interval)
        // These are of a round now; a schedule of dry ones would remove nothing, for ever.
        .conflicts(['once', 'dryRun', 'json']),
    )
    .option(
      '-n, --namespace <name>',
      'where to look, may be repeated (default: where the worker may)',
      more,
      [],
    )
    .option('--dry-run', 'only say what would be done')
    .option('--json', 'write the report as JSON')
    .option('--task-queue <name>', 'queue of the worker (default: LEADERFALL_TASK_QUEUE or leaderfall)')
    .addHelpText(
      'after',
      '\nNothing of a run that goes on is touched. Exit codes of --once: 0 nothing of an ended run is left, 1 something is, 3 Error; of --dry-run: 0, or 3 Error.',
    )
    .action(async (options: JanitorOptions) => {
      if (!options.every && !options.once && !options.dryRun) {
        throw problem('INPUT_INVALID', 'nothing is asked of the janitor', {
          next: 'leaderfall janitor --once, --dry-run, or --every 1h',
        });
      }
      exit(await withTemporal((access) => (options.every ? every(access, options) : once(access, options))));
    });
}

async function every({ client }: TemporalAccess, options: JanitorOptions): Promise<number> {
  const { every: interval = '' } = options;
  const taskQueue = queueOf(options);
  const { scheduleId, change } = await scheduleJanitor(client, {
    interval,
    taskQueue,
    request: requestOf(options),
  });
  process.stdout.write(`schedule ${scheduleId} ${change}: every ${interval}\n`);
  return 0;
}

async function once(access: TemporalAccess, options: JanitorOptions): Promise<number> {
  const taskQueue = queueOf(options);
  const handle = await access.client.workflow.start('janitor', {
    args: [requestOf(options)],
    workflowId: newWorkflowId('leaderfall-janitor', new Date()),
    taskQueue,
    staticSummary: 'remove what ended runs left behind',
  });
  const ended = new AbortController();
  const result = (handle.result() as Promise<JanitorReport>).finally(() => ended.abort());
  void sayWhereNobodyWorks(access, taskQueue, { ended: ended.signal, say: terminal().text });
  try {
    const report = await result;
    process.stdout.write(`${options.json ? JSON.stringify(report, null, 2) : textOf(report)}\n`);
    return report.runs.some(isLeft) ? 1 : 0;
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    throw new LeaderfallError(problemOfFailure(error.cause), { cause: error });
  }
}

/** Says so after a while where no living worker polls a task queue, unless the round has `ended`. */
export async function sayWhereNobodyWorks(
  access: TemporalAccess,
  taskQueue: string,
  { ended, say, afterMs = patienceMs }: { ended: AbortSignal; say: (text: string) => void; afterMs?: number },
): Promise<void> {
  await delay(afterMs, undefined, { signal: ended }).catch(() => {});
  if (ended.aborted || (await livingPollersOf(access, taskQueue).catch(() => [])).length > 0) return;
  say(`No worker polls task queue ${taskQueue}; start one: leaderfall worker`);
}

/** Something of an ended run is still there. */
function isLeft({ state, leftovers }: SweptRun): boolean {
  return state === 'ended' && leftovers.length > 0;
}

/** The report for people. */
export function textOf({ runs, namespaces, notes, dryRun }: JanitorReport): string {
  const where = namespaces.length > 0 ? namespaces.join(', ') : 'any namespace';
  const lines = notes.map((note) => `note: ${note}`);
  if (runs.length === 0) return [`nothing of any run in ${where}`, ...lines].join('\n');
  const head = ['run', 'state', dryRun ? 'would be removed' : 'removed', 'left'];
  const cells = runs.map(({ run, state, why, found, done, leftovers }) => {
    const left =
      state === 'ended' ? leftovers.map(({ kind, name, reason }) => `${kind} ${name}: ${reason}`) : found;
    const removed = dryRun && state === 'ended' ? found : done;
    return [run, `${state}: ${why}`, removed.join('\n'), left.join('\n')];
  });
  return [plainTable(head, cells), ...lines].join('\n');
}

function requestOf({ namespace, dryRun }: JanitorOptions): JanitorRequest {
  return { ...(namespace.length > 0 ? { namespaces: namespace } : {}), ...(dryRun ? { dryRun } : {}) };
}

function queueOf({ taskQueue }: JanitorOptions): string {
  return taskQueue ?? process.env.LEADERFALL_TASK_QUEUE ?? defaultTaskQueue;
}

function interval(text: string): string {
  if (!/^[1-9]\d*[mhd]$/.test(text)) throw new InvalidArgumentError('a number with m, h or d, such as 10m');
  return text;
}

function more(name: string, names: string[]): string[] {
  return [...names, name];
}
