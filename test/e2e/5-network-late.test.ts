import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ApiWay, openApiWay } from '../support/api-way.ts';
import { ensureKafka, oneKill } from '../support/kafka.ts';
import { expectNothingLeft } from '../support/nothing-left.ts';
import { kubeconfigOf, startRoleWorker } from '../support/rights.ts';
import {
  brokerDeletions,
  eventually,
  runExperiment,
  temporalClient,
  type WorkerProcess,
} from '../support/testbed.ts';

const taskQueue = 'e2e-network-late';
let way: ApiWay | undefined;
let worker: WorkerProcess | undefined;

beforeAll(async () => {
  await ensureKafka();
  way = await openApiWay(await kubeconfigOf('leaderfall', 'leaderfall-worker'));
  worker = await startRoleWorker(taskQueue, ['target'], { KUBECONFIG: way.kubeconfig });
});

afterAll(async () => {
  await worker?.stop();
  way?.close();
});

/** What of the query `status` is looked at. */
interface Status {
  kills: { proven: number };
  next?: { kill: number; deadline?: string };
}

test('a worker that nothing of the cluster reaches over a deadline, and all of it late: that kill is skipped and said, none is made up for, nothing left', async () => {
  const since = Date.now();
  const workflowId = `e2e-network-late-${since}`;
  const running = runExperiment(
    // The brokers go the same way as the API server.
    {
      ...oneKill,
      reach: 'port-forward',
      // Long enough for the first broker to be back: a guard that waits already would wait the darkness out.
      schedule: { durationSeconds: 120, intervalSeconds: 60, late: { runIfWithinSeconds: 5 } },
    },
    { taskQueue, workflowId },
  );
  const run = (await temporalClient()).workflow.getHandle(workflowId);
  const deadline = await eventually('the first kill is proven, the second one waited for', 180, async () => {
    const { kills, next } = await run.query<Status>('status').catch(() => ({}) as Partial<Status>);
    const at = Date.parse((kills?.proven === 1 && next?.kill === 2 && next.deadline) || '');
    return at > Date.now() ? at : undefined;
  });
  // A kill is prepared a second before its deadline, and may not begin 5 s after it any more.
  await eventually('the second deadline is near', 90, () => Date.now() > deadline - 4_000);
  const dark = await way?.blackHole(14_000);

  const { code, result, stderr } = await running;
  expect(result?.verdict, `${result?.reasons.join('\n')}\n${stderr.slice(-3_000)}`).toBe('Inconclusive');
  expect(code).toBe(2);
  expect(result?.kills).toMatchObject([
    { status: 'proven' },
    { status: 'skipped', reason: expect.stringMatching(/^\d+ ms late/) },
  ]);
  expect(dark?.from, 'dark before the kill was prepared').toBeLessThan(deadline - 1_000);
  expect(dark?.to, 'dark until its last moment was over').toBeGreaterThan(deadline + 5_000);
  expect(brokerDeletions(since)).toEqual([
    { pod: result?.kills[0]?.plan?.pod, at: expect.any(Number), status: 200 },
  ]);
  if (result) await expectNothingLeft(result.run);
});
