import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { testbedHome } from '../support/testbed-home.ts';

const home = await testbedHome('process');
const { isRunning, logFile, mustRun, pidOf, recorded, start, startTimeOf, stop } = await import(
  '../../testbed/process.ts'
);
const { state } = await import('../../testbed/paths.ts');
const { until } = await import('../../testbed/run.ts');

function record(name: string, content: object): void {
  mkdirSync(state('processes'), { recursive: true });
  writeFileSync(state('processes', `${name}.json`), JSON.stringify(content));
}

/** A line of /proc/<pid>/stat with this command, state and start time. */
function stat(command: string, processState: string, startTime: string): string {
  const between = Array.from({ length: 18 }, (_, index) => String(index));
  return `42 (${command}) ${[processState, ...between, startTime, '9999', '0'].join(' ')}`;
}

afterEach(async () => {
  for (const name of recorded()) await stop(name, { signal: 'SIGKILL' });
});
afterAll(() => rmSync(home, { recursive: true }));

describe('start time of a process', () => {
  it('is field 22 of its stat line', () => {
    expect(startTimeOf(42, () => stat('etcd', 'S', '777'))).toBe('777');
  });

  it('is found behind a command that holds spaces and brackets', () => {
    expect(startTimeOf(42, () => stat('a) S (b 1 2', 'R', '778'))).toBe('778');
  });

  it('is missing for a zombie, which runs no more', () => {
    expect(startTimeOf(42, () => stat('etcd', 'Z', '777'))).toBeUndefined();
  });

  it('is missing for a process that is gone', () => {
    const gone = () => {
      throw new Error('ENOENT');
    };
    expect(startTimeOf(42, gone)).toBeUndefined();
  });
});

describe('recorded processes', () => {
  it('are known by pid and start time', () => {
    record('self', { pid: process.pid, startTime: startTimeOf(process.pid) });
    expect(pidOf('self')).toBe(process.pid);
    rmSync(state('processes', 'self.json'));
  });

  it('are not mistaken for a later process with the same pid, nor is that one signalled', async () => {
    record('reused', { pid: process.pid, startTime: '1' });
    expect(isRunning('reused')).toBe(false);
    await stop('reused', { signal: 'SIGKILL' });
    expect(recorded()).not.toContain('reused');
  });

  it('count as gone where the record is torn', () => {
    mkdirSync(state('processes'), { recursive: true });
    writeFileSync(state('processes', 'torn.json'), '{"pid": 1');
    expect(isRunning('torn')).toBe(false);
  });

  it('run on their own in their own session, and end when told', async () => {
    start('sleeper', 'sleep', ['600']);
    const pid = pidOf('sleeper') as number;
    expect(pid).toBeGreaterThan(1);
    expect(logFile('sleeper')).toBe(state('logs', 'sleeper.log'));
    await stop('sleeper');
    expect(startTimeOf(pid)).toBeUndefined();
    expect(recorded()).toEqual([]);
  });

  it('that ignore SIGTERM are killed', async () => {
    const ready = join(home, 'ready');
    start('stubborn', 'sh', ['-c', 'trap "" TERM; : > "$0"; exec sleep 600', ready]);
    const pid = pidOf('stubborn') as number;
    await until('SIGTERM is ignored', 10, () => existsSync(ready));
    await stop('stubborn', { seconds: 0.3 });
    expect(startTimeOf(pid)).toBeUndefined();
  });

  it('of a command that does not exist are an error', () => {
    expect(() => start('nothing', '/nonexistent/program', [])).toThrow(/nothing: \/nonexistent\/program/);
  });
});

it('what waits for a process that has ended gets the end of its log at once', async () => {
  start('short', 'sh', ['-c', 'echo address already in use >&2; exit 1']);
  await until('it has ended', 10, () => !isRunning('short'));
  expect(() => mustRun('short')).toThrow(/short has ended; .*\naddress already in use$/s);
});
