import { afterAll, beforeAll, expect, test } from 'vitest';
import { removeKafka } from '../support/kafka.ts';
import { kubectl } from '../support/kubectl.ts';
import { type PackageServer, servePackages } from '../support/package-server.ts';
import {
  brokerDeletions,
  cluster,
  ensureNamespace,
  eventually,
  leftIn,
  pendingActivities,
  runExperiment,
} from '../support/testbed.ts';
import { deleteAtOnce, deployWorker, evict, removeWorker, workerPod } from '../support/worker-pod.ts';

const taskQueue = 'e2e-dies';
const folders = ['base', 'target', 'kudo', 'kudo-init'];
let packages: PackageServer;

beforeAll(async () => {
  await ensureNamespace('kafka');
  await ensureNamespace('kudo-system');
  await removeKafka();
  packages = await servePackages();
  const env = {
    LEADERFALL_KUDO_ZOOKEEPER_PACKAGE: packages.urlOf('zookeeper'),
    LEADERFALL_KUDO_KAFKA_PACKAGE: packages.urlOf('kafka'),
  };
  await deployWorker({ taskQueue, folders, env });
});

afterAll(() => {
  removeWorker(folders);
  packages.close();
});

/** SIGKILL, as when its node is lost; the Deployment starts a successor. */
async function die(): Promise<void> {
  deleteAtOnce(await workerPod());
}

test('the deployed worker serves the SDK’s metrics and writes one log, a JSON object a line', async () => {
  const { name } = await workerPod();
  const proxy = `/api/v1/namespaces/leaderfall/pods/${name}`;
  const metrics = kubectl(['get', '--raw', `${proxy}:9464/proxy/metrics`]);
  const slots = (queue: string, type: string) =>
    metrics
      .split('\n')
      .filter((line) => {
        const [, labels = ''] = /^temporal_worker_task_slots_available\{(.*)\} /.exec(line) ?? [];
        return labels.includes(`task_queue="${queue}"`) && labels.includes(`worker_type="${type}"`);
      })
      .map((line) => Number(line.split(' ').at(-1)));
  expect(slots(taskQueue, 'WorkflowWorker')).toEqual([10]);
  expect(slots(taskQueue, 'ActivityWorker')).toEqual([200]);
  for (const name of ['critical', 'watch'])
    expect(slots(`${taskQueue}-${name}`, 'ActivityWorker')).toEqual([1_000]);
  expect(kubectl(['get', '--raw', `${proxy}:8080/proxy/readyz`])).toBeTruthy();
  const lines = kubectl(['logs', name, '-n', 'leaderfall']).trim().split('\n');
  const said = lines.map((line) => JSON.parse(line) as { level: unknown; msg: string });
  expect(said.map(({ msg }) => msg)).toContain('worker is ready');
  expect(said.some(({ msg }) => /Worker state changed/.test(msg))).toBe(true);
});

test('the worker’s pod killed during provision, stream, between kill and proof, and clean-up, and evicted: successors end the story right', async () => {
  const since = Date.now();
  const workflowId = `e2e-dies-${since}`;
  const experiment = {
    cluster: { namespace: 'kafka' },
    provision: { mode: 'kudo' },
    target: { broker: 1 },
    schedule: { durationSeconds: 80, intervalSeconds: 40 },
  };
  const killed = () => brokerDeletions(since).filter(({ status }) => status === 200);
  const running = runExperiment(experiment, { taskQueue, workflowId });

  const zookeeper = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'zookeeper-instance-zookeeper' };
  await eventually('the ZooKeeper instance is being made', 120, () =>
    cluster.read({ ...zookeeper, namespace: 'kafka' }),
  );
  await die();
  await eventually('the liveness pod is there', 240, () =>
    cluster.read({ apiVersion: 'v1', kind: 'Pod', namespace: 'kafka', name: 'kafka-liveness' }),
  );
  await die();
  await eventually('the first kill', 180, () => killed().length === 1);
  await die();
  await eventually('the second kill', 180, () => killed().length === 2);
  evict(await workerPod());
  await eventually('clean-up runs', 240, async () =>
    (await pendingActivities(workflowId)).includes('cleanUp'),
  );
  await die();

  const { code, result, stderr } = await running;
  expect(result?.verdict, `${result?.reasons.join('\n')}\n${stderr.slice(-3_000)}`).toBe('Pass');
  expect(code).toBe(0);
  expect(killed().map(({ pod }) => pod)).toEqual(['kafka-kafka-1', 'kafka-kafka-1']);
  expect(result?.kills.map(({ status }) => status)).toEqual(['proven', 'proven']);
  expect(result?.leftovers).toEqual([]);
  expect(await leftIn('kafka')).toEqual([]);
});
