import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { freePort } from '../../support/free-port.ts';
import { eventually } from '../../support/testbed.ts';

const program = fileURLToPath(new URL('../../../src/liveness/main.ts', import.meta.url));
const running: ChildProcess[] = [];

afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL');
});

/** One container of the kafka-liveness pod as a process. No broker answers it. */
interface Container {
  ask(method: string, path: string): Promise<unknown>;
  signal(signal: NodeJS.Signals): void;
  /** Exit code, what it printed as errors, and its last words. */
  end: Promise<{ code: number; errors: string; lastWords: () => unknown }>;
}

async function container(role: string, environment: Record<string, string> = {}): Promise<Container> {
  const terminationLog = join(mkdtempSync(join(tmpdir(), 'liveness-')), 'termination-log');
  const port = await freePort();
  const child = spawn(process.execPath, [program], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      ...process.env,
      LIVENESS_ROLE: role,
      LIVENESS_BOOTSTRAP: `127.0.0.1:${await freePort()}`,
      LIVENESS_TOPIC: 'stream',
      LIVENESS_RUN_ID: '0000beef',
      LIVENESS_RATE: '100',
      LIVENESS_REPLICATION_FACTOR: '3',
      LIVENESS_MIN_INSYNC_REPLICAS: '2',
      LIVENESS_CONSUMER_TIMEOUT_MS: '60000',
      LIVENESS_TERMINATION_LOG: terminationLog,
      LIVENESS_PORT: String(port),
      ...environment,
    },
  });
  running.push(child);
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  return {
    ask: async (method, path) => (await fetch(`http://127.0.0.1:${port}${path}`, { method })).json(),
    signal: (signal) => void child.kill(signal),
    end: once(child, 'close').then(([code]) => ({
      code: code as number,
      errors,
      lastWords: () => JSON.parse(readFileSync(terminationLog, 'utf8')) as unknown,
    })),
  };
}

test.each(['producer', 'consumer', 'observer'])(
  'the %s reports while no broker answers, and leaves its report as last words when it is stopped',
  async (role) => {
    const { ask, signal, end } = await container(role);
    expect(await eventually('it answers', 30, () => ask('GET', '/healthz').catch(() => false))).toEqual({
      role,
    });
    expect(await ask('GET', '/report?since=0')).toMatchObject({ role });
    signal('SIGTERM');
    const { code, lastWords } = await end;
    expect(code).toBe(0);
    expect(lastWords()).toMatchObject({ role, startedAt: expect.any(Number) });
  },
);

test('what Node warns its programmers of is not in the log that people follow', async () => {
  const warnsLater = 'setTimeout(() => setTimeout(() => {}, -5), 100)';
  const NODE_OPTIONS = `--import data:text/javascript,${encodeURIComponent(warnsLater)}`;
  const { end } = await container('consumer', { LIVENESS_CONSUMER_TIMEOUT_MS: '500', NODE_OPTIONS });
  const { code, errors } = await end;
  expect(code).toBe(3);
  expect(errors).not.toContain('Warning');
});

test('a consumer that hears nothing for its time-out, while no broker answers, ends with exit code 3 and says why', async () => {
  const { end } = await container('consumer', { LIVENESS_CONSUMER_TIMEOUT_MS: '500' });
  const { code, lastWords } = await end;
  expect(code).toBe(3);
  expect(lastWords()).toMatchObject({ role: 'consumer', silence: { confirmed: 'outage' } });
});

test('what a consumer knew that gave up is told by the observer, which goes on', async () => {
  const shared = { TMPDIR: mkdtempSync(join(tmpdir(), 'liveness-pod-')) };
  const observer = await container('observer', shared);
  await eventually('it answers', 30, () => observer.ask('GET', '/healthz').catch(() => false));
  const left = (path: string) => observer.ask('GET', `/consumer/${path}`);
  expect([await left('report'), await left('series?stepMs=1000')]).toEqual([null, null]);
  const consumer = await container('consumer', { ...shared, LIVENESS_CONSUMER_TIMEOUT_MS: '500' });
  expect((await consumer.end).code).toBe(3);
  expect(await left('report')).toMatchObject({
    role: 'consumer',
    ledger: { received: 0 },
    silence: { confirmed: 'outage' },
  });
  expect(await left('series?stepMs=1000')).toMatchObject({ stepMs: 1_000, done: expect.any(Array) });
});

test('a topic that cannot be made ends the init container with the reason as last words', async () => {
  const { end } = await container('topic');
  const { code, lastWords } = await end;
  expect(code).toBe(1);
  expect(lastWords()).toEqual({ error: expect.stringMatching(/ECONNREFUSED|connect/i) });
});

test('wrong settings end it at once, each of them named', async () => {
  const { end } = await container('spectator', { LIVENESS_RATE: 'fast' });
  const { code, errors } = await end;
  expect(code).not.toBe(0);
  expect(errors).toContain('LIVENESS_ROLE');
  expect(errors).toContain('LIVENESS_RATE');
});
