import { afterAll, beforeAll, expect, test } from 'vitest';
import { grant, startRoleWorker } from '../support/rights.ts';
import {
  cluster,
  ensureNamespace,
  eventually,
  leaderfall,
  leftIn,
  pendingActivities,
  runExperiment,
  temporalClient,
  type WorkerProcess,
} from '../support/testbed.ts';

/** Runs that make a Kafka of their own one after the other, in every way that a run can end: no object of KUDO's is left. */
const taskQueue = 'e2e-kudo-left';
const namespace = 'kafka-kudo-left';
let worker: WorkerProcess;

async function startWorker(): Promise<void> {
  worker = await startRoleWorker(taskQueue, ['kudo-init']);
}

beforeAll(async () => {
  for (const name of ['kudo-system', namespace]) await ensureNamespace(name);
  grant(namespace, ['target', 'kudo']);
  await startWorker();
});

afterAll(async () => {
  await worker.stop();
  await cluster.remove({ apiVersion: 'v1', kind: 'Namespace', name: namespace });
});

const isThere = (name: string) => () =>
  cluster.read({ apiVersion: 'apps/v1', kind: 'StatefulSet', name, namespace });

/** Starts a run that installs its Kafka, does something to it at a moment of its own, and gives how it ended: exit code, verdict and why. */
async function run(
  way: string,
  moment: (workflowId: string) => Promise<unknown>,
  act: (workflowId: string) => Promise<unknown>,
): Promise<string> {
  const workflowId = `e2e-kudo-left-${way}-${Date.now()}`;
  const experiment = {
    cluster: { namespace },
    provision: { mode: 'kudo', kafka: { parameters: { READINESS_PERIOD_SECONDS: '2' } } },
    schedule: { durationSeconds: 10, intervalSeconds: 10 },
  };
  const running = runExperiment(experiment, { taskQueue, workflowId });
  await eventually('its moment has come', 300, async () => await moment(workflowId));
  expect((await leftIn(namespace)).join('\n')).toContain('Instance zookeeper-instance');
  await act(workflowId);
  const { result, code, stderr } = await running;
  return `${code} ${result?.verdict}: ${result?.reasons?.join('; ') ?? stderr.slice(-3_000)}`;
}

test('cancelled while its ZooKeeper is being made', async () => {
  const cancel = async (workflowId: string) =>
    await (await temporalClient()).workflow.getHandle(workflowId).cancel();
  expect(await run('cancelled', isThere('zookeeper-instance-zookeeper'), cancel)).toMatch(/^4 Stopped/);
  expect(await leftIn(namespace)).toEqual([]);
});

test('terminated while its brokers are being made: after one round of the janitor', async () => {
  const terminate = async (workflowId: string) =>
    await (await temporalClient()).workflow.getHandle(workflowId).terminate('by the test');
  expect(await run('ended', isThere('kafka-kafka'), terminate)).toMatch(/by the test/);
  const janitor = await leaderfall(['janitor', '--once', '-n', namespace, '--task-queue', taskQueue]);
  expect(janitor.code, janitor.stdout + janitor.stderr).toBe(0);
  expect(await leftIn(namespace)).toEqual([]);
});

test('passed, its worker killed in clean-up', async () => {
  const cleansUp = async (workflowId: string) => (await pendingActivities(workflowId)).includes('cleanUp');
  const dies = async () => {
    await worker.crash();
    await startWorker();
  };
  expect(await run('worker-killed', cleansUp, dies)).toMatch(/^0 Pass/);
  expect(await leftIn(namespace)).toEqual([]);
});
