import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { stringify } from 'yaml';
import type { TemporalServer } from '../../test/durability/temporal-server.ts';
import { ended, isRunning } from '../../test/support/child-process.ts';
import { goBuild } from '../../testbed/build.ts';
import { familySeconds, processorSeconds } from '../probes/processor-time.ts';
import { postgresUser, startPostgres } from './postgres.ts';

const source = fileURLToPath(new URL('../go/temporal', import.meta.url));
const plugin = 'postgres12';
const databases = { temporal: 'temporal', visibility: 'temporal_visibility' } as const;

/** A namespace is known to every service of the server after this. ms */
const namespaceKnownMs = 15_000;

/** What a benchmark needs of a Temporal server. */
export type BenchedTemporal = Pick<TemporalServer, 'address' | 'connection' | 'client' | 'stop'> & {
  /** Processor time so far, that of a store with processes of its own included, s. */
  processorSeconds(): number;
};

/** The server as it is deployed in production, all services in one process, on a PostgreSQL of its own. Logs go to `folder`. */
export async function temporalOnPostgres(folder: string, name: string): Promise<BenchedTemporal> {
  const program = await built('temporal-server', 'cmd/server');
  const sqlTool = await built('temporal-sql-tool', 'cmd/tools/sql');
  const postgres = await startPostgres();
  let server: ChildProcess | undefined;
  const end = async () => {
    if (server) await ended(server, 'SIGKILL');
    await postgres.stop();
  };
  try {
    makeTables(sqlTool, postgres.port);
    const { config, address } = await configOf(postgres.port);
    const file = join(folder, `${name}.yaml`);
    writeFileSync(file, stringify(config));
    const logFile = join(folder, `${name}.log`);
    const log = openSync(logFile, 'a');
    server = spawn(program, ['--config-file', file, '--allow-no-auth', 'start'], {
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    const connection = await connected(address, server, () => readFileSync(logFile, 'utf8').slice(-3_000));
    const pid = server.pid ?? 0;
    return {
      ...{ address, connection, client: new Client({ connection }) },
      processorSeconds: () => processorSeconds(pid) + familySeconds(postgres.pid),
      stop: async () => {
        await connection.close();
        await end();
      },
    };
  } catch (error) {
    await end();
    throw error;
  }
}

function makeTables(sqlTool: string, port: number): void {
  for (const [schema, database] of Object.entries(databases)) {
    const tool = (...args: string[]) =>
      execFileSync(
        sqlTool,
        [
          ...['--plugin', plugin, '--endpoint', '127.0.0.1', '--port', String(port)],
          ...['--user', postgresUser, '--database', database, ...args],
        ],
        // Its thousand lines are in the error where it fails.
        { stdio: 'pipe' },
      );
    tool('create-database');
    tool('setup-schema', '--version', '0.0');
    tool('update-schema', '--schema-name', `postgresql/v12/${schema}`);
  }
}

/** The development server speaks SQLite only. */
async function built(name: string, target: string): Promise<string> {
  return await goBuild(name, `go.temporal.io/server/${target}`, '-s -w', source);
}

/** The least that a server on PostgreSQL needs; everything else is its default. */
async function configOf(postgresPort: number): Promise<{ config: object; address: string }> {
  const store = (databaseName: string) => ({
    sql: {
      ...{ pluginName: plugin, databaseName, user: postgresUser, password: '' },
      ...{ connectAddr: `127.0.0.1:${postgresPort}`, connectProtocol: 'tcp' },
      // As in the configuration that Temporal's own images have.
      ...{ maxConns: 20, maxIdleConns: 20, maxConnLifetime: '1h' },
    },
  });
  const ports = await lowPorts(8);
  const service = (index: number) => ({
    rpc: { grpcPort: ports[index], membershipPort: ports[index + 4], bindOnIP: '127.0.0.1' },
  });
  const address = `127.0.0.1:${ports[0]}`;
  const active = { enabled: true, initialFailoverVersion: 1, rpcName: 'frontend', rpcAddress: address };
  const config = {
    log: { stdout: true, level: 'warn' },
    persistence: {
      // What the container images of Temporal have where nobody says otherwise.
      ...{ numHistoryShards: 4, defaultStore: 'default', visibilityStore: 'visibility' },
      datastores: { default: store(databases.temporal), visibility: store(databases.visibility) },
    },
    global: { membership: { maxJoinDuration: '30s', broadcastAddress: '127.0.0.1' } },
    services: { frontend: service(0), history: service(1), matching: service(2), worker: service(3) },
    clusterMetadata: {
      ...{ enableGlobalNamespace: false, failoverVersionIncrement: 10 },
      ...{ masterClusterName: 'active', currentClusterName: 'active', clusterInformation: { active } },
    },
    dcRedirectionPolicy: { policy: 'noop' },
    publicClient: { hostPort: address },
  };
  return { config, address };
}

/** Free ports that fit the column in which PostgreSQL keeps those of members: a signed number of 16 bits. */
async function lowPorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  for (let port = 20_000 + (process.pid % 10_000); ports.length < count; port++) {
    const server = createServer().listen(port, '127.0.0.1');
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    server.close();
    if (isFree) ports.push(port);
  }
  return ports;
}

/** Connected, and with the namespace `default`, which such a server has not by itself. */
async function connected(address: string, server: ChildProcess, log: () => string): Promise<Connection> {
  for (let tries = 0; ; tries++) {
    const connection = Connection.lazy({ address });
    try {
      await connection.workflowService.registerNamespace({
        namespace: 'default',
        workflowExecutionRetentionPeriod: msToTs('1 day'),
      });
      await delay(namespaceKnownMs);
      return connection;
    } catch (cause) {
      await connection.close();
      if (tries > 150 || !isRunning(server))
        throw new Error(`Temporal does not start on PostgreSQL: ${log()}`, { cause });
      await delay(200);
    }
  }
}
