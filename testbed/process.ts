import { spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { state } from './paths.ts';
import { until } from './run.ts';

/** A process of the testbed as recorded on disk. The start time tells it from a later process with the same pid. */
interface Recorded {
  pid: number;
  /** Field 22 of /proc/<pid>/stat: clock ticks since boot. */
  startTime: string;
}

/** Starts a process that outlives this command, with its output in a log file, and records it by name. */
export function start(
  name: string,
  command: string,
  args: string[],
  options: { env?: NodeJS.ProcessEnv } = {},
): void {
  const log = logFile(name);
  mkdirSync(dirname(log), { recursive: true });
  mkdirSync(state('processes'), { recursive: true });
  const output = openSync(log, 'a');
  const child = spawn(command, args, {
    detached: true,
    stdio: ['ignore', output, output],
    env: options.env ?? process.env,
    cwd: '/',
  });
  // Before anything throws: an unheard error event would end this command without saying which part it was.
  child.on('error', () => {});
  if (child.pid === undefined) throw new Error(`${name}: ${command} could not be started`);
  closeSync(output);
  child.unref();
  const startTime = startTimeOf(child.pid) ?? '';
  writeFileSync(record(name), JSON.stringify({ pid: child.pid, startTime } satisfies Recorded));
}

/** Where a process of that name writes. */
export function logFile(name: string): string {
  return state('logs', `${name}.log`);
}

/** Whether the recorded process of that name runs. */
export function isRunning(name: string): boolean {
  return pidOf(name) !== undefined;
}

/** Throws with the end of its log where the process of that name runs no more: what waits for it need not wait on. */
export function mustRun(name: string): void {
  if (isRunning(name)) return;
  throw new Error(`${name} has ended; the end of ${logFile(name)}:\n${endOfLog(name).join('\n')}`);
}

/** The last five lines of what a process of that name wrote. */
export function endOfLog(name: string): string[] {
  if (!existsSync(logFile(name))) return [];
  return readFileSync(logFile(name), 'utf8').trimEnd().split('\n').slice(-5);
}

/** The pid of the recorded process, if it still is that process. */
export function pidOf(name: string): number | undefined {
  try {
    const { pid, startTime } = JSON.parse(readFileSync(record(name), 'utf8')) as Recorded;
    return startTimeOf(pid) === startTime ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** Ends a recorded process: SIGTERM, and SIGKILL when that does not help in time. */
export async function stop(name: string, options: { signal?: 'SIGTERM' | 'SIGKILL'; seconds?: number } = {}) {
  const pid = pidOf(name);
  if (pid !== undefined) {
    kill(pid, options.signal ?? 'SIGTERM');
    await until(`${name} has ended`, options.seconds ?? 5, () => !isRunning(name)).catch(() =>
      kill(pid, 'SIGKILL'),
    );
    await until(`${name} has ended`, 5, () => !isRunning(name));
  }
  rmSync(record(name), { force: true });
}

/** Names of all recorded processes. */
export function recorded(): string[] {
  try {
    return readdirSync(state('processes')).map((file) => file.replace(/\.json$/, ''));
  } catch {
    return [];
  }
}

/** Sends a signal; a process that is gone is fine. */
export function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Start time of a live process in clock ticks since boot; undefined where there is none, or only a zombie. */
export function startTimeOf(pid: number, readStat: (pid: number) => string = procStat): string | undefined {
  try {
    // The command may hold spaces and brackets: fields are counted from behind it. State is field 3, start time field 22.
    const fields = readStat(pid)
      .replace(/^.*\) /s, '')
      .split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

function procStat(pid: number): string {
  return readFileSync(`/proc/${pid}/stat`, 'utf8');
}

function record(name: string): string {
  return state('processes', `${name}.json`);
}
