import { expect, test } from 'vitest';
import type { Pod } from '../../src/kubernetes/workloads.ts';
import { containerOf } from '../../src/kubernetes/workloads.ts';
import { livenessPodName } from '../../src/liveness/pod.ts';
import { oneKill } from '../support/kafka.ts';
import { expectNothingLeft } from '../support/nothing-left.ts';
import { haveRoleWorker } from '../support/role-worker.ts';
import {
  brokerDeletions,
  cluster,
  cordon,
  eventually,
  nodeOf,
  runExperiment,
  temporalClient,
} from '../support/testbed.ts';

const taskQueue = 'e2e-fail';
haveRoleWorker(taskQueue);

/** How the stream's consumer ended; undefined while it runs. */
async function consumerExitCode(): Promise<number | undefined> {
  const pod = await cluster.read<Pod>({
    apiVersion: 'v1',
    kind: 'Pod',
    namespace: 'kafka',
    name: livenessPodName,
  });
  return containerOf(pod, 'kafka-consumer')?.state?.terminated?.exitCode;
}

test('a topic with one replica whose broker cannot come back: Fail, exit code 1, nothing left', async () => {
  const experiment = {
    ...oneKill,
    liveness: { replicationFactor: 1, consumerTimeoutMs: 10_000 },
    guard: { allow: ['single-replica'] },
  };
  const brokers = ['kafka-kafka-0', 'kafka-kafka-1', 'kafka-kafka-2'];
  const nodes = new Map(
    await Promise.all(brokers.map(async (pod) => [pod, await nodeOf('kafka', pod)] as const)),
  );
  const since = Date.now();
  const running = runExperiment(experiment, { taskQueue, workflowId: `e2e-rf1-${since}` });
  const killed = await Promise.race([
    eventually('a broker is deleted', 120, () => brokerDeletions(since)[0]?.pod),
    running.then(({ stderr }) => Promise.reject(new Error(`ended before a kill: ${stderr.slice(-3_000)}`))),
  ]);
  const node = nodes.get(killed) ?? '';
  await cordon(node, true);
  try {
    expect(await eventually('the consumer gives up', 60, consumerExitCode)).toBe(3);
  } finally {
    await cordon(node, false);
  }
  const { code, result, stderr } = await running;
  expect(result?.verdict, `${result?.reasons.join('\n')}\n${stderr.slice(-3_000)}`).toBe('Fail');
  expect(code).toBe(1);
  expect(result?.reasons[0]).toContain('the stream stopped');
  expect(result?.stream?.silence?.confirmed).toBe('outage');
  expect(result?.stream?.consumer).toMatchObject({ state: 'terminated', exitCode: 3 });
  // The broker came back with its log: what was acknowledged is accounted for though the consumer had given up.
  expect(result?.stream).toMatchObject({ lost: 0, drained: true });
  expect(result?.series?.columns.received?.some((rate) => rate !== null && rate > 0)).toBe(true);
  if (result) await expectNothingLeft(result.run);
});

test('cancelled from Temporal in the middle: Stopped, exit code 4, no kill after it, nothing left', async () => {
  const workflowId = `e2e-cancel-${Date.now()}`;
  const client = await temporalClient();
  const running = runExperiment(
    { ...oneKill, schedule: { durationSeconds: 120, intervalSeconds: 60 } },
    { taskQueue, workflowId },
  );
  const since = Date.now();
  await expect.poll(() => brokerDeletions(since).length, { timeout: 120_000, interval: 300 }).toBe(1);
  await client.workflow.getHandle(workflowId).cancel();
  const { code, result } = await running;
  expect(result?.verdict).toBe('Stopped');
  expect(code).toBe(4);
  const description = await client.workflow.getHandle(workflowId).describe();
  expect(description.status.name).toBe('CANCELLED');
  expect(brokerDeletions(since)).toHaveLength(1);
  if (result) await expectNothingLeft(result.run);
});

test('the liveness pod deleted by somebody else: Inconclusive with that reason, exit code 2, nothing left', async () => {
  const since = Date.now();
  const running = runExperiment(
    { ...oneKill, schedule: { durationSeconds: 40, intervalSeconds: 20 } },
    { taskQueue, workflowId: `e2e-foreign-${since}` },
  );
  await expect.poll(() => brokerDeletions(since).length, { timeout: 120_000, interval: 300 }).toBe(1);
  await cluster.remove({ apiVersion: 'v1', kind: 'Pod', namespace: 'kafka', name: 'kafka-liveness' });
  const { code, result } = await running;
  expect(result?.verdict).toBe('Inconclusive');
  expect(code).toBe(2);
  expect(result?.reasons[0]).toContain('liveness pod was deleted by somebody else');
  expect(brokerDeletions(since)).toHaveLength(1);
  if (result) await expectNothingLeft(result.run);
});
