import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ChaosResult } from '../../src/experiment/result.ts';
import { maxKillsOfHistory } from '../../src/experiment/schedule.ts';
import { type TemporalServer, temporalOfItsOwn } from '../durability/temporal-server.ts';
import { buildsOf, setCurrent } from '../support/versions.ts';
import { healthy, type Seen } from '../workflow/story-support.ts';
import { realClock, startStoryWorker } from './story-worker.ts';

/** Two builds of the worker on a real Temporal server, and a run that goes on in a new history; steps only answer. */
const taskQueue = 'upgrade-long-run';
const deploymentName = 'leaderfall';
const workers: { stop(): Promise<void> }[] = [];
let temporal: TemporalServer;

beforeAll(async () => {
  temporal = await temporalOfItsOwn('upgrade');
});

afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.stop()));
  await temporal.stop();
});

/** A build that is made current; gives what its steps saw. */
async function build(buildId: string): Promise<Seen> {
  const seen: Seen = { calls: [], acts: [] };
  const kills = maxKillsOfHistory + 2;
  const steps = healthy(realClock, seen, {}, { durationSeconds: kills, intervalSeconds: 1 });
  const version = { deploymentName, buildId };
  workers.push(await startStoryWorker(taskQueue, steps, temporal.address, 100, version));
  await setCurrent(temporal.client, deploymentName, buildId, taskQueue);
  return seen;
}

function start(workflowId: string) {
  return temporal.client.workflow.start<(input: unknown) => Promise<ChaosResult>>('kafkaBrokerFailure', {
    ...{ taskQueue, workflowId, args: [{ cluster: { namespace: 'kafka' } }] },
  });
}

test('a long run stays on the build that it began on in its later histories, though another build is current', async () => {
  const { client } = temporal;
  const one = await build('one');
  const run = await start('long');
  await expect.poll(() => one.calls, { timeout: 60_000 }).toContain('kill');
  const two = await build('two');

  await run.result();
  const first = client.workflow.getHandle('long', run.firstExecutionRunId);
  expect((await first.describe()).status.name).toBe('CONTINUED_AS_NEW');
  const pinned = ['PINNED leaderfall:one'];
  expect((await buildsOf(client, 'long', run.firstExecutionRunId)).workflowTasks).toEqual(pinned);
  expect((await buildsOf(client, 'long')).workflowTasks).toEqual(pinned);
  expect(one.calls.slice(-1)).toEqual(['record']);
  expect(two.calls).toEqual([]);

  const next = await start('next');
  await expect.poll(() => two.calls, { timeout: 60_000 }).toContain('kill');
  await next.terminate('the test has seen enough');
  expect((await buildsOf(client, 'next')).workflowTasks).toEqual(['PINNED leaderfall:two']);
});
