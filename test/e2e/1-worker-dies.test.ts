import { afterAll, beforeAll, expect, test } from 'vitest';
import { removeKafka } from '../support/kafka.ts';
import {
  brokerDeletions,
  cluster,
  ensureNamespace,
  eventually,
  leftIn,
  pendingActivities,
  runExperiment,
  startWorker,
  type WorkerProcess,
} from '../support/testbed.ts';

const taskQueue = 'e2e-dies';
let worker: WorkerProcess;

beforeAll(async () => {
  await ensureNamespace('kafka');
  await removeKafka();
  worker = await startWorker(taskQueue);
});

afterAll(async () => {
  await worker.stop();
});

/** SIGKILL, and a successor as a Deployment would start it. */
async function dieAndReturn(): Promise<void> {
  await worker.crash();
  worker = await startWorker(taskQueue);
}

test('the worker killed during provision, stream, between kill and proof, and clean-up: a successor ends the story right', async () => {
  const since = Date.now();
  const workflowId = `e2e-dies-${since}`;
  const experiment = {
    cluster: { namespace: 'kafka' },
    provision: { mode: 'kudo' },
    schedule: { durationSeconds: 80, intervalSeconds: 40 },
  };
  const running = runExperiment(experiment, { taskQueue, workflowId });

  await eventually('the ZooKeeper instance is being made', 120, () =>
    cluster.read({
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      namespace: 'kafka',
      name: 'zookeeper-instance-zookeeper',
    }),
  );
  await dieAndReturn();
  await eventually('the liveness pod is there', 240, () =>
    cluster.read({ apiVersion: 'v1', kind: 'Pod', namespace: 'kafka', name: 'kafka-liveness' }),
  );
  await dieAndReturn();
  await eventually('the first broker is deleted', 180, () => brokerDeletions(since).length === 1);
  await dieAndReturn();
  await eventually('clean-up runs', 240, async () =>
    (await pendingActivities(workflowId)).includes('cleanUp'),
  );
  await dieAndReturn();

  const { code, result, stderr } = await running;
  expect(result?.verdict, `${result?.reasons.join('\n')}\n${stderr.slice(-3_000)}`).toBe('Pass');
  expect(code).toBe(0);
  expect(brokerDeletions(since).filter(({ status }) => status === 200)).toHaveLength(2);
  expect(result?.kills.map(({ status }) => status)).toEqual(['proven', 'proven']);
  expect(result?.leftovers).toEqual([]);
  expect(await leftIn('kafka')).toEqual([]);
});
