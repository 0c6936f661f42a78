import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ChaosResult } from '../../src/experiment/result.ts';
import { ensureKafka, oneKill, untilBrokers } from '../support/kafka.ts';
import { expectNothingLeft } from '../support/nothing-left.ts';
import { startRoleWorker } from '../support/rights.ts';
import {
  brokerDeletions,
  cluster,
  cordon,
  eventually,
  experimentFile,
  leaderfall,
  leftIn,
  nodeOf,
  temporalClient,
  type WorkerProcess,
} from '../support/testbed.ts';

const taskQueue = 'e2e-schedule';
const name = `e2e-every-minute-${Date.now()}`;
const unwell = `e2e-unwell-${Date.now()}`;
const firings = 5;
let worker: WorkerProcess;

beforeAll(async () => {
  await ensureKafka();
  worker = await startRoleWorker(taskQueue, ['target']);
});

afterAll(async () => {
  for (const made of [name, unwell]) await leaderfall(['schedule', 'delete', made]);
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

/** Does something while a broker is away, whose volume is on a node that takes no pod. */
async function withoutBroker<T>(name: string, act: () => Promise<T>): Promise<T> {
  const node = await nodeOf('kafka', name);
  await cordon(node, true);
  try {
    await cluster.remove({ apiVersion: 'v1', kind: 'Pod', namespace: 'kafka', name });
    await untilBrokers(2);
    await eventually('the next pod of that name waits for a node', 120, async () => {
      const found = await cluster.read({ apiVersion: 'v1', kind: 'Pod', namespace: 'kafka', name });
      return found && !(found.spec as { nodeName?: string }).nodeName;
    });
    return await act();
  } finally {
    await cordon(node, false);
    await untilBrokers(3);
  }
}

test('a scheduled run that finds a broker away is Skipped, says why, and touches nothing', async () => {
  const when = { cron: ['0 3 1 1 *'] };
  const file = experimentFile({ name: unwell, taskQueue, when, experiment: oneKill });
  const created = await leaderfall(['schedule', 'create', '-f', file]);
  expect(created.code, created.stderr).toBe(0);
  const client = await temporalClient();
  const run = await withoutBroker('kafka-kafka-2', async () => {
    const before = await leftIn('kafka');
    const since = Date.now();
    const triggered = await leaderfall(['schedule', 'trigger', unwell]);
    expect(triggered.code, triggered.stderr).toBe(0);
    const workflowId = await eventually('a run is started', 30, async () => {
      const { info } = await client.schedule.getHandle(unwell).describe();
      return info.recentActions[0]?.action.workflow.workflowId;
    });
    const handle = client.workflow.getHandle(workflowId);
    const result = (await handle.result()) as ChaosResult;
    expect(result.verdict, result.reasons.join('\n')).toBe('Skipped');
    expect(result.reasons.join('\n')).toContain('the Kafka is not well');
    expect(result.problem).toMatchObject({
      code: 'CLUSTER_UNHEALTHY',
      evidence: expect.arrayContaining(['2 of 3 brokers are in the metadata']),
    });
    expect(result.kills).toEqual([]);
    expect((await handle.describe()).status.name).toBe('COMPLETED');
    // Not even a claim was taken: nothing was begun after the first step.
    const { events } = await handle.fetchHistory();
    const steps = (events ?? []).flatMap(
      ({ activityTaskScheduledEventAttributes: step }) => step?.activityType?.name ?? [],
    );
    expect(steps).toEqual(['resolve', 'record']);
    expect(brokerDeletions(since)).toEqual([]);
    expect(await leftIn('kafka')).toEqual(before);
    return result.run;
  });
  await expectNothingLeft(run);
});
