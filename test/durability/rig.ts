import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { ended } from '../support/child-process.ts';
import { type Address, type ClusterServer, type ServedCluster, serveClusters } from './cluster/server.ts';
import { startTemporal, type TemporalServer, type TemporalSettings } from './temporal-server.ts';

/** A worker in a process of its own. */
export interface WorkerProcess {
  readonly pid: number;
  /** SIGKILL, and seen gone. */
  kill(): Promise<void>;
  /** SIGTERM, and seen gone. */
  stop(): Promise<void>;
  /** SIGSTOP: alive, and does nothing; whatever it had begun goes on when it is woken. */
  freeze(): void;
  wake(): void;
}

/** Everything that a cell needs: clusters that keep their own books, Temporal servers, and workers that may be killed. */
export interface Rig {
  /** Where logs and stores are. */
  folder: string;
  /** The server that cells share which do no harm to it. */
  temporal: TemporalServer;
  ownTemporal(name: string, settings?: TemporalSettings): Promise<TemporalServer>;
  cluster(name: string, namespace?: string): Promise<ServedCluster>;
  /** Clusters whose namespace is their name, as one for a worker that serves them all. */
  together: Address;
  /** Starts one; it takes about a second to be ready, which need not be waited for. */
  worker(
    cluster: Address,
    server: Pick<TemporalServer, 'address'>,
    taskQueue: string,
    own?: OwnOfWorker,
  ): WorkerProcess;
  close(): Promise<void>;
}

/** What one worker has of its own. */
interface OwnOfWorker {
  env?: Record<string, string>;
  /** Options of Node. */
  node?: string[];
  /** Its log is worker-<this>.log in the rig's folder; the task queue's name by default. */
  log?: string;
}

/** Starts the rig; everything is away after `close`, but for the folder where `keep` is set. */
export async function startRig({ keep = false } = {}): Promise<Rig> {
  const folder = mkdtempSync(join(tmpdir(), 'leaderfall-durability-'));
  const { code } = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('../../src/workflows/all-workflows.ts', import.meta.url)),
    logger: new DefaultLogger('ERROR'),
  });
  const bundle = join(folder, 'workflow-bundle.js');
  writeFileSync(bundle, code);
  const clusters: ClusterServer = await serveClusters(folder);
  const servers: TemporalServer[] = [];
  const workers = new Set<WorkerProcess>();
  const ownTemporal = async (name: string, settings?: TemporalSettings) => {
    const server = await startTemporal(folder, name, settings);
    servers.push(server);
    return server;
  };
  return {
    folder,
    ownTemporal,
    temporal: await ownTemporal('shared'),
    cluster: (name, namespace) => clusters.add(name, namespace),
    together: clusters.together,
    worker: (cluster, server, taskQueue, own = {}) => {
      const worker = startWorker(folder, bundle, { cluster, server, taskQueue, ...own });
      workers.add(worker);
      return worker;
    },
    close: async () => {
      await Promise.all([...workers].map((worker) => worker.kill()));
      await Promise.all(servers.map((server) => server.stop()));
      clusters.close();
      if (!keep) rmSync(folder, { recursive: true, force: true });
    },
  };
}

function startWorker(
  folder: string,
  bundle: string,
  options: {
    cluster: Address;
    server: Pick<TemporalServer, 'address'>;
    taskQueue: string;
  } & OwnOfWorker,
): WorkerProcess {
  const { cluster, server, taskQueue, env, node = [], log: name = taskQueue } = options;
  const log = openSync(join(folder, `worker-${name}.log`), 'a');
  const program = fileURLToPath(new URL('worker-process.ts', import.meta.url));
  const child = spawn(process.execPath, [...node, program, cluster.kubeconfig, cluster.url, bundle], {
    stdio: ['ignore', log, log],
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      TEMPORAL_ADDRESS: server.address,
      LEADERFALL_TASK_QUEUE: taskQueue,
      LEADERFALL_LIVENESS_IMAGE: 'simulated',
      LEADERFALL_LOG_FORMAT: 'json',
      ...env,
    },
  });
  closeSync(log);
  return {
    pid: child.pid ?? 0,
    kill: () => ended(child, 'SIGKILL'),
    stop: () => ended(child, 'SIGTERM'),
    freeze: () => void child.kill('SIGSTOP'),
    wake: () => void child.kill('SIGCONT'),
  };
}
