import { afterAll, beforeAll, expect, test } from 'vitest';
import { ensureKafka, oneKill } from '../support/kafka.ts';
import {
  brokerDeletions,
  cluster,
  cordon,
  eventually,
  leftIn,
  nodeOf,
  runExperiment,
} from '../support/testbed.ts';
import {
  deleteAtOnce,
  deployWorker,
  drain,
  evict,
  removeWorker,
  type WorkerPod,
  workerPod,
} from '../support/worker-pod.ts';

const taskQueue = 'e2e-pod';
const broker = 1;
let node: string;
let pod: WorkerPod;

beforeAll(async () => {
  await ensureKafka();
  node = await nodeOf('kafka', `kafka-kafka-${broker}`);
  pod = await deployWorker(taskQueue, node);
});

afterAll(async () => {
  await cordon(node, false);
  removeWorker();
});

test('the worker’s pod deleted, evicted and drained, on the node of the broker that is killed: its successors end the story right', async () => {
  const since = Date.now();
  const before = await leftIn('kafka');
  const killed = () => brokerDeletions(since).filter(({ status }) => status === 200);
  const running = runExperiment(
    {
      ...oneKill,
      target: { broker },
      schedule: { durationSeconds: 80, intervalSeconds: 40 },
    },
    { taskQueue, workflowId: `e2e-pod-${since}` },
  );

  await eventually('the liveness pod is there', 60, () =>
    cluster.read({ apiVersion: 'v1', kind: 'Pod', namespace: 'kafka', name: 'kafka-liveness' }),
  );
  expect(pod.node).toBe(node);
  deleteAtOnce(pod);
  await eventually('the first kill', 90, () => killed().length === 1);
  evict(await workerPod());
  await eventually('the second kill', 90, () => killed().length === 2);
  const last = await workerPod();
  expect(last.node).toBe(node);
  drain(last);
  expect((await workerPod()).node).not.toBe(node);
  // The broker's volume is on the node that takes no pods.
  await cordon(node, false);

  const { code, result, stderr } = await running;
  expect(result?.verdict, `${result?.reasons.join('\n')}\n${stderr.slice(-3_000)}`).toBe('Pass');
  expect(code).toBe(0);
  expect(killed().map((deletion) => deletion.pod)).toEqual(Array(2).fill(`kafka-kafka-${broker}`));
  expect(result?.kills.map(({ status }) => status)).toEqual(['proven', 'proven']);
  expect(result?.leftovers).toEqual([]);
  expect(await leftIn('kafka')).toEqual(before);
});
