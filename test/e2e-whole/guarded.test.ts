import { afterAll, beforeAll, expect, test } from 'vitest';
import { ensureKafka, oneKill, openKafka } from '../support/kafka.ts';
import { expectNothingLeft } from '../support/nothing-left.ts';
import { startRoleWorker } from '../support/rights.ts';
import {
  brokerDeletions,
  cluster,
  cordon,
  eventually,
  leaderfall,
  nodeOf,
  runExperiment,
  type WorkerProcess,
} from '../support/testbed.ts';

const taskQueue = 'e2e-guarded';
const topic = `guarded-${Date.now().toString(36)}`;
const budget = { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', namespace: 'kafka', name: topic };
let worker: WorkerProcess;
let node = '';

beforeAll(async () => {
  await ensureKafka();
  node = await nodeOf('kafka', 'kafka-kafka-1');
  worker = await startRoleWorker(taskQueue, ['target', 'nodes']);
});

afterAll(async () => {
  await release();
  await worker.stop();
});

test('a broker that others need is not killed before they can spare it: a partition’s only replica, a budget, a cordoned node', async () => {
  const kafka = await openKafka();
  // A partition on each broker.
  await kafka.createTopic({ name: topic, partitions: 3, replicationFactor: 1, config: {} });
  await kafka.close();
  const selector = { matchLabels: { app: 'kafka' } };
  await cluster.create({
    ...{
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: topic, namespace: 'kafka' },
    },
    spec: { maxUnavailable: 0, selector },
  });
  await cordon(node, true);

  const since = Date.now();
  const workflowId = `e2e-guarded-${since}`;
  const schedule = { durationSeconds: 60, intervalSeconds: 60 };
  const running = runExperiment({ ...oneKill, target: { broker: 1 }, schedule }, { taskQueue, workflowId });
  await eventually('the guard says what holds the kill', 120, async () => {
    const said = (await leaderfall(['status', workflowId])).stderr;
    const partition = new RegExp(`single-replica\\): 1 partition \\(${topic}-\\d\\)`);
    return (
      partition.test(said) && said.includes(`${topic} spares no pod`) && said.includes(`${node} is cordoned`)
    );
  });
  expect(brokerDeletions(since)).toEqual([]);
  const released = Date.now();
  await release();

  const { code, result, stderr } = await running;
  expect(result?.verdict, `${result?.reasons.join('\n')}\n${stderr.slice(-3_000)}`).toBe('Pass');
  expect(code).toBe(0);
  const deletions = brokerDeletions(since);
  expect(deletions).toHaveLength(1);
  expect(deletions[0]?.at).toBeGreaterThan(released);
  expect(result?.kills[0]?.plan?.guardReasons.join('\n')).toContain('guard.allow: disruption-budget');
  if (result) await expectNothingLeft(result.run);
});

/** What holds the kill is taken away; already so is well. */
async function release(): Promise<void> {
  await cordon(node, false);
  await cluster.remove(budget);
  const kafka = await openKafka();
  if (await kafka.topicListed(topic)) await kafka.deleteTopic(topic);
  await kafka.close();
}
