import { afterAll, beforeAll, expect, test } from 'vitest';
import { ensureKafka, oneKill } from '../support/kafka.ts';
import { kubectl } from '../support/kubectl.ts';
import { expectNothingLeft } from '../support/nothing-left.ts';
import { startRoleWorker } from '../support/rights.ts';
import {
  brokerDeletions,
  cordon,
  eventually,
  nodeOf,
  runExperiment,
  temporalClient,
  type WorkerProcess,
} from '../support/testbed.ts';

const taskQueue = 'e2e-drained';
let worker: WorkerProcess;
let node: string;

beforeAll(async () => {
  await ensureKafka();
  worker = await startRoleWorker(taskQueue, ['target', 'nodes']);
  node = await nodeOf('kafka', 'kafka-kafka-2');
});

afterAll(async () => {
  await cordon(node, false);
  await worker.stop();
});

test('a broker’s node drained by somebody else: kills are held, the disruption is named, Inconclusive', async () => {
  const since = Date.now();
  const workflowId = `e2e-drained-${since}`;
  const schedule = { durationSeconds: 80, intervalSeconds: 40 };
  const running = runExperiment({ ...oneKill, target: { broker: 1 }, schedule }, { taskQueue, workflowId });
  const client = await temporalClient();
  const status = () =>
    client.workflow
      .getHandle(workflowId)
      .query<{ kills: { proven: number; skipped: number } }>('status')
      .catch(() => undefined);
  await eventually('the first kill is proven', 120, async () => (await status())?.kills.proven === 1);
  // Everything of Kafka on that node, as an administrator does before maintenance.
  kubectl(['drain', node, '--pod-selector=app=kafka', '--delete-emptydir-data', '--force', '--timeout=120s']);
  await eventually('the second kill is skipped', 120, async () => (await status())?.kills.skipped === 1);
  await cordon(node, false);

  const { code, result, stderr } = await running;
  expect(result?.verdict, `${result?.reasons.join('\n')}\n${stderr.slice(-3_000)}`).toBe('Inconclusive');
  expect(code).toBe(2);
  expect(result?.kills[1]?.reason).toMatch(/broker 2.*kafka-kafka-2: Unschedulable: .*unschedulable/s);
  expect(brokerDeletions(since).filter(({ status: answer }) => answer === 200)).toHaveLength(1);
  if (result) await expectNothingLeft(result.run);
});
