import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { type ClusterServer, type ServedCluster, serveClusters } from './cluster/server.ts';
import { startTemporal, type TemporalServer } from './temporal-server.ts';

/** A worker in a process of its own. */
export interface WorkerProcess {
  readonly pid: number;
  /** SIGKILL, and seen gone. */
  kill(): Promise<void>;
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
  ownTemporal(name: string): Promise<TemporalServer>;
  cluster(name: string): Promise<ServedCluster>;
  /** Starts one; it takes about a second to be ready, which need not be waited for. */
  worker(cluster: ServedCluster, server: TemporalServer, taskQueue: string): WorkerProcess;
  close(): Promise<void>;
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
  const ownTemporal = async (name: string) => {
    const server = await startTemporal(folder, name);
    servers.push(server);
    return server;
  };
  return {
    folder,
    ownTemporal,
    temporal: await ownTemporal('shared'),
    cluster: (name) => clusters.add(name),
    worker: (cluster, server, taskQueue) => {
      const worker = startWorker(folder, bundle, { cluster, server, taskQueue });
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
  { cluster, server, taskQueue }: { cluster: ServedCluster; server: TemporalServer; taskQueue: string },
): WorkerProcess {
  const log = openSync(join(folder, `worker-${taskQueue}.log`), 'a');
  const program = fileURLToPath(new URL('worker-process.ts', import.meta.url));
  const child = spawn(process.execPath, [program, cluster.kubeconfig, cluster.url, bundle], {
    stdio: ['ignore', log, log],
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      TEMPORAL_ADDRESS: server.address,
      LEADERFALL_TASK_QUEUE: taskQueue,
      LEADERFALL_LIVENESS_IMAGE: 'simulated',
      LEADERFALL_LOG_FORMAT: 'json',
    },
  });
  closeSync(log);
  return {
    pid: child.pid ?? 0,
    kill: () => killed(child),
    freeze: () => void child.kill('SIGSTOP'),
    wake: () => void child.kill('SIGCONT'),
  };
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}
