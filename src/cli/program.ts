import { Command, CommanderError } from 'commander';
import type { Request } from '../experiment/steering.ts';
import { version } from '../worker/version.ts';
import { usageExitCode } from './exit-codes.ts';
import { printProblem } from './print-problem.ts';

/** Adds one command to the program; one that ends with another code than 0 tells it to `exit`. */
type Add = (program: Command, exit: (code: number) => void) => void;

/** A command for one request to a live run. */
function steering(request: Request, description: string): () => Promise<Add> {
  return async () => (await import('./commands/steer.ts')).addSteering(request, description);
}

/** Each command by its name; a module is loaded only when its command is wanted, for some bring a whole SDK along. */
const commands: Record<string, () => Promise<Add>> = {
  run: async () => (await import('./commands/run.ts')).addRun,
  watch: async () => (await import('./commands/watch.ts')).addWatch,
  status: async () => (await import('./commands/status.ts')).addStatus,
  abort: async () => (await import('./commands/abort.ts')).addAbort,
  stop: async () => (await import('./commands/stop.ts')).addStop,
  lock: async () => (await import('./commands/stop.ts')).addLock,
  unlock: async () => (await import('./commands/stop.ts')).addUnlock,
  pause: steering('pause', 'no kill of a live run until resume; later deadlines move by as long'),
  resume: steering('resume', 'let a paused run go on'),
  'skip-next': steering('skipNext', 'leave the next kill of a live run out'),
  'kill-now': steering('killNow', 'make the next kill of a live run now'),
  extend: steering('extend', 'add kills to a live run'),
  schedule: async () => (await import('./commands/schedule.ts')).addSchedule,
  promote: async () => (await import('./commands/promote.ts')).addPromote,
  janitor: async () => (await import('./commands/janitor.ts')).addJanitor,
  list: async () => (await import('./commands/list.ts')).addList,
  history: async () => (await import('./commands/history.ts')).addHistory,
  report: async () => (await import('./commands/report.ts')).addReport,
  explain: async () => (await import('./commands/explain.ts')).addExplain,
  plan: async () => (await import('./commands/plan.ts')).addPlan,
  doctor: async () => (await import('./commands/doctor.ts')).addDoctor,
  setup: async () => (await import('./commands/setup.ts')).addSetup,
  schema: async () => (await import('./commands/schema.ts')).addSchema,
  worker: async () => (await import('./commands/worker.ts')).addWorker,
};

/** Carries out one command line, without the program's own name, and gives the exit code. Never throws. */
export async function leaderfall(args: string[]): Promise<number> {
  const program = new Command('leaderfall')
    .description('Durable chaos experiments for Kafka on Kubernetes, orchestrated by Temporal.')
    .version(version)
    .showHelpAfterError('(--help shows what may be said)')
    .exitOverride();
  let exitCode = 0;
  const exit = (code: number) => {
    exitCode = code;
  };
  try {
    const wanted = commands[args[0] ?? ''];
    for (const load of wanted ? [wanted] : Object.values(commands)) (await load())(program, exit);
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    // Commander has told the person already; 0 is help and version.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : usageExitCode;
    return printProblem(error);
  }
}
