import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { ended } from '../support/child-process.ts';
import { freePort } from '../support/free-port.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A Temporal server in a process of its own, with a store that outlives it. */
export interface TemporalServer {
  address: string;
  connection: Connection;
  client: Client;
  /** Of the process that is on now. */
  pid(): number;
  /** kill -9, and the same again on the same store after `awayMs`. */
  crash(awayMs: number): Promise<void>;
  /** Nothing answers and no connection ends, for that long. */
  freeze(ms: number): Promise<void>;
  stop(): Promise<void>;
}

/** Settings of a server, where they are not its defaults. */
export interface TemporalSettings {
  /** Number of events from which on it suggests to go on in a new history; 4,096 by default. */
  suggestNewHistoryFrom?: number;
}

/** Starts one, with its store in `folder`. */
export async function startTemporal(
  folder: string,
  name: string,
  { suggestNewHistoryFrom }: TemporalSettings = {},
): Promise<TemporalServer> {
  const program = execFileSync(process.execPath, ['testbed/main.ts', 'path', 'temporal'], { cwd: root })
    .toString()
    .trim();
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const dynamic =
    suggestNewHistoryFrom === undefined
      ? []
      : ['--dynamic-config-value', `limit.historyCount.suggestContinueAsNew=${suggestNewHistoryFrom}`];
  const start = () =>
    spawn(
      program,
      [
        ...['server', 'start-dev', '--headless', '--ip=127.0.0.1', `--port=${port}`, '--log-level=never'],
        ...[`--db-filename=${join(folder, `${name}.db`)}`, ...dynamic],
      ],
      { stdio: 'ignore' },
    );
  let server: ChildProcess = start();
  const connection = await connected(address);
  return {
    ...{ address, connection, client: new Client({ connection }) },
    pid: () => server.pid ?? 0,
    crash: async (awayMs) => {
      await ended(server, 'SIGKILL');
      await delay(awayMs);
      server = start();
    },
    freeze: async (ms) => {
      server.kill('SIGSTOP');
      await delay(ms);
      server.kill('SIGCONT');
    },
    stop: async () => {
      await connection.close();
      await ended(server, 'SIGKILL');
    },
  };
}

/** The same in a folder of its own, which goes with everything in it when the server is stopped. */
export async function temporalOfItsOwn(name: string): Promise<TemporalServer & { folder: string }> {
  const folder = mkdtempSync(join(tmpdir(), `leaderfall-${name}-`));
  const server = await startTemporal(folder, name);
  const stop = async () => {
    await server.stop();
    rmSync(folder, { recursive: true });
  };
  return { ...server, folder, stop };
}

async function connected(address: string): Promise<Connection> {
  for (let tries = 0; ; tries++) {
    try {
      const connection = await Connection.connect({ address, connectTimeout: '1s' });
      await connection.workflowService.describeNamespace({ namespace: 'default' });
      return connection;
    } catch (error) {
      if (tries > 100) throw error;
      await delay(200);
    }
  }
}
