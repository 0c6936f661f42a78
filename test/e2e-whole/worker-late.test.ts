import { afterAll, beforeAll, expect, test } from 'vitest';
import { ensureKafka, oneKill } from '../support/kafka.ts';
import { startRoleWorker } from '../support/rights.ts';
import {
  brokerDeletions,
  eventually,
  leftIn,
  runExperiment,
  type WorkerProcess,
} from '../support/testbed.ts';

const taskQueue = 'e2e-late';
let worker: WorkerProcess;

beforeAll(async () => {
  await ensureKafka();
  worker = await startRoleWorker(taskQueue, ['target']);
});

afterAll(async () => {
  worker.thaw();
  await worker.stop();
});

test('a worker that hangs over a deadline: the kill that is too late is skipped and said, none is made up for, nothing left', async () => {
  const since = Date.now();
  const running = runExperiment(
    { ...oneKill, schedule: { durationSeconds: 60, intervalSeconds: 20 } },
    { taskQueue, workflowId: `e2e-late-${since}` },
  );
  const [first] = await eventually('the first broker is deleted', 120, () => {
    const deletions = brokerDeletions(since);
    return deletions.length === 1 && deletions;
  });
  worker.freeze();
  // The second deadline is 20 s after the first; half an interval later its kill may not begin any more.
  const from = first?.at ?? since;
  await eventually('the second deadline is long over', 60, () => Date.now() > from + 33_000);
  worker.thaw();

  const { code, result, stderr } = await running;
  expect(result?.verdict, `${result?.reasons.join('\n')}\n${stderr.slice(-3_000)}`).toBe('Inconclusive');
  expect(code).toBe(2);
  expect(result?.kills[1]).toMatchObject({ status: 'skipped', reason: expect.stringContaining('late') });
  const deletions = brokerDeletions(since);
  expect(deletions.length).toBeLessThanOrEqual(2);
  for (const { at } of deletions.slice(1)) expect(at - from).toBeGreaterThan(39_000);
  expect(await leftIn('kafka', { label: `leaderfall.io/run-id=${result?.run.runId}` })).toEqual([]);
});
