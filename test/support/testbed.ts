import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection, WorkflowNotFoundError } from '@temporalio/client';
import type { ChaosResult } from '../../src/experiment/result.ts';
import { connectKubernetes } from '../../src/kubernetes/connect-kubernetes.ts';
import type { KubernetesObject } from '../../src/kubernetes/port.ts';
import { main } from './build.ts';
import { ended } from './child-process.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const logs = join(tmpdir(), 'leaderfall-e2e');

/** A value of the testbed's environment; the suite is run by `npm test`, which sets it. */
export function setting(name: string): string {
  const value = process.env[name];
  if (!value)
    throw new Error(`${name} is not set: run \`npm test\`, or eval "$(npm run --silent testbed -- env)"`);
  return value;
}

/** The cluster as its administrator sees it. */
export const cluster = connectKubernetes();

/** A worker in a process of its own, so that it can be killed. */
export interface WorkerProcess {
  readonly taskQueue: string;
  readonly pid: number;
  /** File that holds everything it printed. */
  readonly log: string;
  /** SIGKILL: no shutdown, no last word. */
  crash(): Promise<void>;
  stop(): Promise<void>;
  /** SIGSTOP: as a node that hangs; everything it answers afterwards is late. */
  freeze(): void;
  thaw(): void;
}

/** Starts a worker, unless Node is to be called otherwise, and waits until it says that it is ready. */
export async function startWorker(
  taskQueue: string,
  env: Record<string, string> = {},
  program = [main],
): Promise<WorkerProcess> {
  mkdirSync(logs, { recursive: true });
  const file = join(logs, `worker-${taskQueue}-${Date.now()}.log`);
  const output = openSync(file, 'w');
  const child = spawn(process.execPath, [...program, 'worker'], {
    cwd: root,
    stdio: ['ignore', output, output],
    env: { ...process.env, LEADERFALL_TASK_QUEUE: taskQueue, LEADERFALL_LOG_FORMAT: 'json', ...env },
  });
  await eventually(`worker ready, see ${file}`, 60, () => {
    if (child.exitCode !== null)
      throw new Error(`the worker ended: ${readFileSync(file, 'utf8').slice(-2_000)}`);
    return readFileSync(file, 'utf8').includes('worker is ready');
  });
  return {
    taskQueue,
    pid: child.pid ?? 0,
    log: file,
    crash: () => ended(child, 'SIGKILL'),
    stop: () => ended(child, 'SIGTERM'),
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
  };
}

/** What a command printed and how it ended. */
export interface CommandEnd {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs `leaderfall ARGS` to its end. */
export async function leaderfall(args: string[], env: Record<string, string> = {}): Promise<CommandEnd> {
  const child = spawn(process.execPath, [main, ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1', ...env },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code: code ?? -1, stdout, stderr };
}

/** Runs an experiment to its end with `--json` and gives the exit code and the result. */
export async function runExperiment(
  experiment: object | string,
  options: { taskQueue: string; workflowId: string },
): Promise<CommandEnd & { result: ChaosResult | undefined }> {
  const file = typeof experiment === 'string' ? experiment : experimentFile(experiment);
  const { taskQueue, workflowId } = options;
  const args = ['run', '-f', file, '--json', '--task-queue', taskQueue, '--workflow-id', workflowId];
  const end = await leaderfall([...args, '--on-interrupt', 'detach']);
  let result: ChaosResult | undefined;
  try {
    result = JSON.parse(end.stdout) as ChaosResult;
  } catch {
    // A usage error prints no result; the test looks at the exit code and at standard error.
  }
  return { ...end, result };
}

/** Writes an experiment to a file and gives its path. */
export function experimentFile(experiment: object): string {
  mkdirSync(logs, { recursive: true });
  const file = join(logs, `experiment-${Date.now()}-${Math.random().toString(36).slice(2, 8)}.json`);
  writeFileSync(file, JSON.stringify(experiment));
  return file;
}

/** A Temporal client of the testbed's server. */
export async function temporalClient(): Promise<Client> {
  return new Client({ connection: await Connection.connect({ address: setting('TEMPORAL_ADDRESS') }) });
}

/** Names of the activities of a run that are under way or about to be; none where there is no such run yet. */
export async function pendingActivities(workflowId: string): Promise<string[]> {
  const client = await temporalClient();
  try {
    const { raw } = await client.workflow.getHandle(workflowId).describe();
    return (raw.pendingActivities ?? []).map(({ activityType }) => activityType?.name ?? '');
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return [];
    throw error;
  } finally {
    await client.connection.close();
  }
}

/** Looks every 200 ms until it is so; throws with `what` when the time is over. */
export async function eventually<T>(
  what: string,
  seconds: number,
  look: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<T> {
  const deadline = Date.now() + seconds * 1_000;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`not so after ${seconds} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** One pod deletion as the API server recorded it. */
export interface PodDeletion {
  pod: string;
  /** Epoch ms with fractions, at the arrival of the request. */
  at: number;
  status: number;
}

/** Deletions of broker pods that arrived since an epoch ms, from the API server's own audit log: not from our records. */
export function brokerDeletions(since: number, namespace = 'kafka'): PodDeletion[] {
  return readFileSync(setting('TESTBED_AUDIT_LOG'), 'utf8')
    .split('\n')
    .filter((line) => line.includes('"verb":"delete"') && line.includes('"resource":"pods"'))
    .map(
      (line) =>
        JSON.parse(line) as {
          stage: string;
          requestReceivedTimestamp: string;
          objectRef?: { namespace?: string; name?: string };
          responseStatus?: { code?: number };
        },
    )
    .filter(
      ({ stage, objectRef }) =>
        stage === 'ResponseComplete' &&
        objectRef?.namespace === namespace &&
        objectRef.name?.startsWith('kafka-kafka-'),
    )
    .map(({ requestReceivedTimestamp, objectRef, responseStatus }) => ({
      pod: objectRef?.name ?? '',
      at: microseconds(requestReceivedTimestamp),
      status: responseStatus?.code ?? 0,
    }))
    .filter(({ at }) => at >= since);
}

/** Epoch ms of an RFC 3339 stamp, keeping its microseconds. */
function microseconds(stamp: string): number {
  const fraction = /\.(\d+)Z$/.exec(stamp)?.[1] ?? '0';
  return Math.floor(Date.parse(stamp) / 1_000) * 1_000 + Number(`0.${fraction}`) * 1_000;
}

/** Makes a namespace if it is missing. */
export async function ensureNamespace(name: string): Promise<void> {
  await cluster.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
}

/** Everything in a namespace that a run could have left: names by kind. Empty means that nothing is left. */
export async function leftIn(namespace: string, options: { label?: string } = {}): Promise<string[]> {
  const kinds = [
    ['v1', 'Pod'],
    ['v1', 'PersistentVolumeClaim'],
    ['apps/v1', 'StatefulSet'],
    ['batch/v1', 'Job'],
    ['coordination.k8s.io/v1', 'Lease'],
    ['kudo.dev/v1beta1', 'Instance'],
    ['kudo.dev/v1beta1', 'OperatorVersion'],
    ['kudo.dev/v1beta1', 'Operator'],
  ] as const;
  const found: string[] = [];
  for (const [apiVersion, kind] of kinds) {
    const { items } = await cluster.list<KubernetesObject>({ apiVersion, kind, namespace }, options);
    found.push(...items.map((item) => `${kind} ${item.metadata?.name}`));
  }
  return found;
}

/** Lets no new pod onto a node, or lets them again. A broker whose volume is on that node cannot come back meanwhile. */
export async function cordon(node: string, unschedulable: boolean): Promise<void> {
  await cluster.mergePatch({ apiVersion: 'v1', kind: 'Node', name: node }, { spec: { unschedulable } });
}

/** The node that a pod is on. */
export async function nodeOf(namespace: string, name: string): Promise<string> {
  const pod = await cluster.read({ apiVersion: 'v1', kind: 'Pod', namespace, name });
  return (pod?.spec as { nodeName?: string } | undefined)?.nodeName ?? '';
}
