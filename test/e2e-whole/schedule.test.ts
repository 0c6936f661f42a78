import { afterAll, beforeAll, expect, test } from 'vitest';
import { ensureKafka, oneKill } from '../support/kafka.ts';
import { expectNothingLeft } from '../support/nothing-left.ts';
import {
  brokerDeletions,
  eventually,
  experimentFile,
  leaderfall,
  startWorker,
  temporalClient,
  type WorkerProcess,
} from '../support/testbed.ts';

const taskQueue = 'e2e-schedule';
const name = `e2e-every-minute-${Date.now()}`;
const firings = 5;
let worker: WorkerProcess;

beforeAll(async () => {
  await ensureKafka();
  worker = await startWorker(taskQueue);
});

afterAll(async () => {
  await leaderfall(['schedule', 'delete', name]);
  await worker.stop();
});

test('a schedule of one a minute over five firings: runs one after the other, each of them a Pass with one kill, nothing left', async () => {
  const since = Date.now();
  const file = experimentFile({
    name,
    taskQueue,
    when: { every: [{ interval: '1m' }] },
    experiment: oneKill,
  });
  const created = await leaderfall(['schedule', 'create', '-f', file]);
  expect(created.code, created.stderr).toBe(0);

  const client = await temporalClient();
  const handle = client.schedule.getHandle(name);
  // A run that is not over at the next full minute leaves that one out.
  await eventually(
    'so many firings',
    120 * firings,
    async () => (await handle.describe()).info.numActionsTaken >= firings,
  );
  await handle.pause('enough');
  const { recentActions, runningActions } = (await handle.describe()).info;
  for (const { workflow } of runningActions) await client.workflow.getHandle(workflow.workflowId).result();
  expect(recentActions).toHaveLength(firings);

  const runs = await Promise.all(
    recentActions.map(async ({ action }) => {
      const run = client.workflow.getHandle(action.workflow.workflowId);
      const { events } = await run.fetchHistory();
      const [input] = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
      const { startTime, closeTime } = await run.describe();
      return {
        result: await run.result(),
        input: Buffer.from(input?.data ?? []).toString(),
        startTime,
        closeTime,
      };
    }),
  );
  for (const { result, input } of runs) {
    expect(result.verdict, result.reasons.join('\n')).toBe('Pass');
    expect(JSON.parse(input)).toEqual(oneKill);
    await expectNothingLeft(result.run);
  }
  for (const [index, { startTime }] of runs.entries()) {
    expect(startTime.getTime() % 60_000, 'at a full minute').toBeLessThan(10_000);
    expect(startTime.getTime()).toBeGreaterThanOrEqual(runs[index - 1]?.closeTime?.getTime() ?? 0);
  }
  expect(brokerDeletions(since).filter(({ status }) => status === 200)).toHaveLength(firings);

  const trend = await leaderfall(['history', '--schedule', name, '--json']);
  expect(trend.code, trend.stderr).toBe(0);
  expect(trend.stdout.match(/"verdict": ?"Pass"/g)).toHaveLength(firings);
});
