import { afterAll, beforeAll, expect, test } from 'vitest';
import type { KubernetesObject } from '../../src/kubernetes/port.ts';
import { kubectl } from '../support/kubectl.ts';
import { grant, startRoleWorker } from '../support/rights.ts';
import {
  cluster,
  ensureNamespace,
  eventually,
  leftIn,
  runExperiment,
  type WorkerProcess,
} from '../support/testbed.ts';

/** A Kafka that a run installs and keeps, whose brokers delete no topics; then what is left of it when its owner takes it down. */
const taskQueue = 'e2e-kept';
const namespace = 'kafka-kept';
const experiment = {
  cluster: { namespace },
  provision: {
    mode: 'kudo',
    keep: true,
    kafka: { parameters: { DELETE_TOPIC_ENABLE: 'false', READINESS_PERIOD_SECONDS: '2' } },
  },
  schedule: { durationSeconds: 10, intervalSeconds: 10 },
};
let worker: WorkerProcess;

beforeAll(async () => {
  for (const name of ['kudo-system', namespace]) await ensureNamespace(name);
  grant(namespace, ['target', 'kudo']);
  worker = await startRoleWorker(taskQueue, ['kudo-init']);
});

afterAll(async () => {
  await worker.stop();
  await cluster.remove({ apiVersion: 'v1', kind: 'Namespace', name: namespace });
});

const run = () => runExperiment(experiment, { taskQueue, workflowId: `e2e-kept-${Date.now()}` });

async function claims(): Promise<(string | undefined)[]> {
  const kind = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace };
  return (await cluster.list<KubernetesObject>(kind)).items.map(({ metadata }) => metadata?.uid).sort();
}

test('what is kept bears no mark of the run, and a topic that the brokers do not delete is emptied and named', async () => {
  const { result, stderr } = await run();
  expect(result?.verdict, `${result?.reasons.join('\n')}\n${stderr.slice(-3_000)}`).toBe('Pass');
  expect(result?.kafka).toMatchObject({
    reach: 'port-forward',
    settings: { 'delete.topic.enable': 'false' },
  });
  expect(result?.kafka?.notes).toContainEqual(expect.stringContaining('delete.topic.enable=false'));
  expect(result?.leftovers).toEqual([
    {
      kind: 'Topic',
      name: expect.stringContaining(result?.run.runId ?? 'none'),
      reason: expect.stringContaining('its records were removed'),
    },
  ]);
  expect(await leftIn(namespace, { label: `leaderfall.io/run-id=${result?.run.runId}` })).toEqual([]);
  expect(await leftIn(namespace)).toEqual(
    expect.arrayContaining(['StatefulSet kafka-kafka', 'Instance kafka', 'Instance zookeeper-instance']),
  );
  const set = { apiVersion: 'apps/v1', kind: 'StatefulSet', namespace, name: 'kafka-kafka' };
  expect((await cluster.read(set))?.metadata?.annotations ?? {}).not.toHaveProperty('litmuschaos.io/chaos');
});

test('from now on it is somebody’s: another run needs its opt-in', async () => {
  const { code, result } = await run();
  expect(code).toBe(3);
  expect(result).toMatchObject({ failStep: 'resolve', problem: { code: 'TARGET_NOT_ANNOTATED' } });
});

test('its volumes are not taken over by another Kafka once it is taken down', async () => {
  for (const instance of ['kafka', 'zookeeper-instance']) {
    kubectl([
      'delete',
      'instance.kudo.dev',
      instance,
      '-n',
      namespace,
      '--cascade=foreground',
      '--wait=false',
    ]);
    const pods = { apiVersion: 'v1', kind: 'Pod', namespace };
    await eventually(`the pods of ${instance} are gone`, 400, async () => {
      const { items } = await cluster.list(pods, { label: `kudo.dev/instance=${instance}` });
      return items.length === 0;
    });
  }
  const before = await claims();
  expect(before.length).toBeGreaterThan(0);
  const { code, result } = await run();
  expect(code).toBe(3);
  expect(result).toMatchObject({ failStep: 'resolve', problem: { code: 'VOLUMES_REMAIN' } });
  expect(await claims()).toEqual(before);
});
