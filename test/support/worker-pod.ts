import type { KubernetesObject } from '../../src/kubernetes/port.ts';
import { applyOverlay, kubectl } from './kubectl.ts';
import { deployRoles } from './rights.ts';
import { cluster, eventually, setting } from './testbed.ts';

const namespace = 'leaderfall';
const label = 'app.kubernetes.io/component=worker';

/** The pod of the worker that is in charge. */
export interface WorkerPod {
  name: string;
  node: string;
}

/**
 * Deploys the worker as a user does: an overlay of folders below deploy/kustomize, applied by kubectl. It goes to that node where
 * it can, and elsewhere where it cannot. Gives its pod once that is ready.
 */
export async function deployWorker(options: {
  taskQueue: string;
  folders: string[];
  node?: string;
  env?: Record<string, string>;
}): Promise<WorkerPod> {
  const { folders, node, ...worker } = options;
  const image = setting('LEADERFALL_LIVENESS_IMAGE');
  const spec = node === undefined ? {} : { affinity: preferring(node) };
  applyOverlay(folders, workerOverlay({ ...worker, image, spec }));
  return await workerPod();
}

/** What an overlay says of the worker's Deployment: its image, its settings, and what else its pod's spec has. */
export function workerOverlay(options: {
  taskQueue: string;
  image: string;
  env?: Record<string, string>;
  spec?: object;
}): object {
  const { taskQueue, image, spec = {} } = options;
  const env = Object.entries({
    TEMPORAL_ADDRESS: setting('TESTBED_TEMPORAL_FROM_PODS'),
    LEADERFALL_TASK_QUEUE: taskQueue,
    LEADERFALL_LIVENESS_IMAGE: image,
    ...options.env,
  }).map(([name, value]) => ({ name, value }));
  const patch = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'leaderfall-worker', namespace },
    spec: { template: { spec: { ...spec, containers: [{ name: 'worker', env }] } } },
  };
  return {
    images: [{ name: 'docker.io/leaderfall/leaderfall', newTag: image.split(':').at(-1) }],
    patches: [{ patch: JSON.stringify(patch) }],
  };
}

function preferring(node: string): object {
  const matchExpressions = [{ key: 'kubernetes.io/hostname', operator: 'In', values: [node] }];
  return {
    nodeAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, preference: { matchExpressions } }],
    },
  };
}

/** The worker's pod, once there is one that is ready and stays. */
export async function workerPod(): Promise<WorkerPod> {
  return await eventually('a pod of the worker is ready', 90, async () => {
    const { items } = await cluster.list<WorkerPodObject>(
      { apiVersion: 'v1', kind: 'Pod', namespace },
      { label },
    );
    const found = items.find(
      ({ metadata, status }) =>
        !metadata.deletionTimestamp &&
        status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True'),
    );
    return found && { name: found.metadata.name, node: found.spec.nodeName };
  });
}

interface WorkerPodObject extends KubernetesObject {
  metadata: { name: string; deletionTimestamp?: string };
  spec: { nodeName: string };
  status?: { conditions?: { type: string; status: string }[] };
}

/** As when its node is lost: no SIGTERM, no time. */
export function deleteAtOnce({ name }: WorkerPod): void {
  kubectl(['delete', 'pod', name, '-n', namespace, '--grace-period=0', '--force', '--wait=false']);
}

/** By the API for evictions, as an autoscaler does. */
export function evict({ name }: WorkerPod): void {
  const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace } };
  const path = `/api/v1/namespaces/${namespace}/pods/${name}/eviction`;
  kubectl(['create', '--raw', path, '-f', '-'], JSON.stringify(eviction));
}

/** Takes the worker off its node, which takes no pod any more until it is uncordoned. */
export function drain({ node }: WorkerPod): void {
  kubectl(['drain', node, `--pod-selector=${label}`, '--delete-emptydir-data', '--timeout=90s']);
}

/** Takes the worker away, with what those folders but `base` gave it, and waits until it is gone; its namespace stays. */
export function removeWorker(folders: string[]): void {
  kubectl(['delete', 'deployment', 'leaderfall-worker', '-n', namespace, '--cascade=foreground']);
  deployRoles(
    'delete',
    folders.filter((folder) => folder !== 'base'),
  );
}
