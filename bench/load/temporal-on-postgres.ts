import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { stringify } from 'yaml';
import type { TemporalServer } from '../../test/durability/temporal-server.ts';
import { goBuild } from '../../testbed/build.ts';
import { postgresUser, startPostgres } from './postgres.ts';

const source = fileURLToPath(new URL('../go/temporal', import.meta.url));
const plugin = 'postgres12';
const databases = { temporal: 'temporal', visibility: 'temporal_visibility' } as const;

/** A namespace is known to every service of the server after this. ms */
const namespaceKnownMs = 15_000;

/** What a benchmark needs of a Temporal server. */
export type BenchedTemporal = Pick<TemporalServer, 'address' | 'connection' | 'client' | 'stop'> & {
  /** Of the server, and of its store where that has processes of its own. */
  pids(): number[];
};

/** The server as it is deployed in production, all services in one process, on a PostgreSQL of its own. Logs go to `folder`. */
export async function temporalOnPostgres(folder: string, name: string): Promise<BenchedTemporal> {
  const program = await built('temporal-server', 'cmd/server');
  const sqlTool = await built('temporal-sql-tool', 'cmd/tools/sql');
  const postgres = await startPostgres();
  for (const [schema, database] of Object.entries(databases)) {
    const tool = (...args: string[]) =>
      execFileSync(
        sqlTool,
        [
          ...['--plugin', plugin, '--endpoint', '127.0.0.1', '--port', String(postgres.port)],
          ...['--user', postgresUser, '--database', database, ...args],
        ],
        { stdio: 'pipe' },
      );
    tool('create-database');
    tool('setup-schema', '--version', '0.0');
    tool('update-schema', '--schema-name', `postgresql/v12/${schema}`);
  }
  const { config, address } = await configOf(postgres.port);
  const file = join(folder, `${name}.yaml`);
  writeFileSync(file, stringify(config));
  const logFile = join(folder, `${name}.log`);
  const log = openSync(logFile, 'a');
  const server = spawn(program, ['--config-file', file, '--allow-no-auth', 'start'], {
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const end = async () => {
    const exit = server.exitCode === null ? once(server, 'exit') : undefined;
    server.kill('SIGKILL');
    await exit;
    await postgres.stop();
  };
  try {
    const connection = await connected(address);
    return {
      ...{ address, connection, client: new Client({ connection }) },
      pids: () => [server.pid ?? 0, ...postgres.pids()],
      stop: async () => {
        await connection.close();
        await end();
      },
    };
  } catch (cause) {
    await end();
    throw new Error(`Temporal does not start: ${readFileSync(logFile, 'utf8').slice(-3_000)}`, { cause });
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
async function connected(address: string): Promise<Connection> {
  for (let tries = 0; ; tries++) {
    try {
      const connection = await Connection.connect({ address, connectTimeout: '1s' });
      await connection.workflowService.registerNamespace({
        namespace: 'default',
        workflowExecutionRetentionPeriod: { seconds: (24 * 3_600) as never },
      });
      await delay(namespaceKnownMs);
      return connection;
    } catch (error) {
      if (tries > 100) throw error;
      await delay(200);
    }
  }
}
