import type { Client } from '@temporalio/client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { killBudgetId } from '../../src/experiment/kill-budget.ts';
import { takeKill } from '../../src/worker/take-kill.ts';
import { type TemporalServer, temporalOfItsOwn } from '../durability/temporal-server.ts';
import { startStoryWorker } from './story-worker.ts';

/** As workers ask, on a real Temporal server of their own, for the count is its whole namespace's. */
let temporal: TemporalServer;
let client: Client;
const workers: { stop(): Promise<void> }[] = [];

beforeEach(async () => {
  temporal = await temporalOfItsOwn('kill-budget');
  ({ client } = temporal);
});

afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.stop()));
  await temporal.stop();
});

async function work(taskQueue: string): Promise<{ stop(): Promise<void> }> {
  const worker = await startStoryWorker(taskQueue, {}, temporal.address);
  workers.push(worker);
  return worker;
}

const granted = { granted: true };

test('of many runs that ask at once, on two task queues, as many are let through as the hour has, and always the same', async () => {
  await Promise.all([work('staging'), work('production')]);
  const keys = Array.from({ length: 10 }, (_, index) => `run-${index}#0`);
  const ask = async () => {
    const answers = await Promise.all(
      keys.map((key, index) => takeKill(client, index % 2 ? 'staging' : 'production', key, 3)),
    );
    return keys.filter((_, index) => answers[index]?.granted);
  };
  const first = await ask();
  expect(first).toHaveLength(3);
  expect(await ask()).toEqual(first);
});

test('a count whose workers are gone goes on elsewhere with what it had granted, whoever takes it over first', async () => {
  const staging = await work('staging');
  expect(await takeKill(client, 'staging', 'a#0', 3)).toEqual(granted);
  await staging.stop();
  workers.splice(0);

  await Promise.all([work('production'), work('canary')]);
  const keys = Array.from({ length: 6 }, (_, index) => `b#${index}`);
  const answers = await Promise.all(
    keys.map((key, index) => takeKill(client, index % 2 ? 'production' : 'canary', key, 3)),
  );
  expect(answers.filter((answer) => answer.granted)).toHaveLength(2);
  // The kill that was granted before the change stays so.
  expect(await takeKill(client, 'production', 'a#0', 3)).toEqual(granted);
});

test('a count that somebody ended, in a history that had gone on from an earlier one, is not forgotten', async () => {
  await work('production');
  const before = [{ key: 'earlier#0', at: Date.now() - 1_000 }];
  const taskQueue = 'production';
  await client.workflow.start('killBudget', { taskQueue, workflowId: killBudgetId, args: [before] });
  expect(await takeKill(client, taskQueue, 'a#0', 2)).toEqual(granted);
  expect(await takeKill(client, taskQueue, 'b#0', 2)).toMatchObject({ granted: false });
  await client.workflow.getHandle(killBudgetId).terminate('tidying up');
  expect(await takeKill(client, taskQueue, 'b#0', 2)).toMatchObject({ granted: false });
  expect(await takeKill(client, taskQueue, 'a#0', 2)).toEqual(granted);
  expect(await takeKill(client, taskQueue, 'b#0', 3)).toEqual(granted);
});

test('where no worker counts the kills, there is an answer in time all the same', {
  timeout: 30_000,
}, async () => {
  await expect(takeKill(client, 'unpolled', 'run#0', 1)).rejects.toThrow();
});
