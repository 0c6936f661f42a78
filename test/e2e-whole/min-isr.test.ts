import { expect, test } from 'vitest';
import { readLivenessPod } from '../../src/activities/liveness-http.ts';
import { containerOf } from '../../src/kubernetes/workloads.ts';
import { oneKill } from '../support/kafka.ts';
import { expectNothingLeft } from '../support/nothing-left.ts';
import { haveRoleWorker } from '../support/role-worker.ts';
import { brokerDeletions, cluster, cordon, eventually, runExperiment } from '../support/testbed.ts';

const taskQueue = 'e2e-min-isr';
const liveness = { namespace: 'kafka', pod: 'kafka-liveness' };
haveRoleWorker(taskQueue);

test('all replicas needed in sync and one that cannot come back: producers are refused, Fail, exit code 1, nothing left', async () => {
  const experiment = {
    ...oneKill,
    liveness: { replicationFactor: 3, minInsyncReplicas: 3, consumerTimeoutMs: 10_000 },
    guard: { allow: ['min-isr-equals-rf', 'cordoned-node'] },
  };
  const nodes = (await cluster.list({ apiVersion: 'v1', kind: 'Node' })).items.map(
    ({ metadata }) => metadata?.name ?? '',
  );
  const since = Date.now();
  const running = runExperiment(experiment, { taskQueue, workflowId: `e2e-min-isr-${since}` });
  const early = running.then(({ stderr }) =>
    Promise.reject(new Error(`ended early: ${stderr.slice(-3_000)}`)),
  );
  const sooner = <T>(work: Promise<T>): Promise<T> => Promise.race([work, early]);
  try {
    await sooner(
      eventually('the stream has its pod', 120, async () => {
        return (await readLivenessPod(cluster, liveness))?.status?.phase === 'Running';
      }),
    );
    // Before the kill, so that nothing races with the StatefulSet's controller: the broker's volume is on its node.
    for (const node of nodes) await cordon(node, true);
    const consumerEnd = await sooner(
      eventually('the consumer gives up', 120, async () => {
        const pod = await readLivenessPod(cluster, liveness);
        return containerOf(pod, 'kafka-consumer')?.state?.terminated;
      }),
    );
    expect(consumerEnd.exitCode).toBe(3);
  } finally {
    for (const node of nodes) await cordon(node, false);
  }
  const { code, result, stderr } = await running;
  expect(result?.verdict, `${result?.reasons.join('\n')}\n${stderr.slice(-3_000)}`).toBe('Fail');
  expect(code).toBe(1);
  expect(brokerDeletions(since)).toHaveLength(1);
  const errors = result?.stream?.producerOutages?.flatMap((outage) => Object.keys(outage.errors));
  expect(errors).toContain('NOT_ENOUGH_REPLICAS');
  expect(result?.reasons[0]).toContain('the stream stopped');
  expect(result?.stream?.silence).toMatchObject({ confirmed: 'outage' });
  if (result) await expectNothingLeft(result.run);
});
