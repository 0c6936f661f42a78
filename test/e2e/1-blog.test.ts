import { afterAll, beforeAll, expect, test } from 'vitest';
import { pointsOf } from '../../src/experiment/series.ts';
import { removeKafka, watchLeader } from '../support/kafka.ts';
import { startRoleWorker } from '../support/rights.ts';
import {
  brokerDeletions,
  ensureNamespace,
  leaderfall,
  leftIn,
  runExperiment,
  type WorkerProcess,
} from '../support/testbed.ts';

const taskQueue = 'e2e-blog';
let worker: WorkerProcess;

beforeAll(async () => {
  await ensureNamespace('kafka');
  await removeKafka();
  await ensureNamespace('kudo-system');
  // Just the rights that deploy/ gives to a worker that may make a Kafka, and KUDO itself.
  worker = await startRoleWorker(taskQueue, ['target', 'kudo', 'kudo-init']);
});

afterAll(async () => {
  await worker.stop();
});

test('the ChaosEngine of the blog, unmodified, from nothing: three kills of the leader of that moment, Pass, nothing left', async () => {
  expect(await leftIn('kafka')).toEqual([]);
  const since = Date.now();
  const leaders = watchLeader();
  const { code, result, stderr } = await runExperiment('examples/kafka-chaos.yaml', {
    taskQueue,
    workflowId: `e2e-blog-${since}`,
  });
  await leaders.stop();

  expect(result?.verdict, `${result?.reasons.join('\n')}\n${stderr.slice(-3_000)}`).toBe('Pass');
  expect(code).toBe(0);
  const deletions = brokerDeletions(since).filter(({ status }) => status === 200);
  // Own deletes of KUDO's garbage collection come from the controllers, which the audit policy leaves out.
  expect(deletions).toHaveLength(3);
  for (const { pod, at } of deletions) expect(pod).toBe(`kafka-kafka-${leaders.leaderAt(at)}`);
  expect(result?.stream?.lost).toBe(0);
  expect(result?.kafka?.packages.map(({ name }) => name)).toEqual(['zookeeper', 'kafka']);
  expect(result?.kafka?.images).toEqual({
    broker: expect.stringContaining('kafka'),
    kudo: expect.stringContaining('kudobuilder/controller'),
  });
  expect(result?.leftovers).toEqual([]);
  // The record by the second holds each ack, and is one small chunk.
  const points = result?.series ? pointsOf(result.series) : [];
  expect(points.reduce((sum, { acked }) => sum + acked, 0)).toBe(result?.stream?.acked);
  expect(Buffer.byteLength(JSON.stringify(result?.series))).toBeLessThan(64 * 1_024);
  expect(result?.stream?.faultWindows).toMatchObject({ count: 3, inside: { count: expect.any(Number) } });
  const explained = await leaderfall(['explain', result?.run.workflowId ?? '']);
  expect(explained.stdout).toMatch(/met +acknowledged records lost\n[\s\S]*Verdict: Pass\n$/);
  expect(await leftIn('kafka')).toEqual([]);
});
