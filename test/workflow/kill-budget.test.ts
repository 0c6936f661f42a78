import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type AskedKill,
  countedMs,
  killBudgetId,
  type Taken,
  takeKillUpdate,
} from '../../src/experiment/kill-budget.ts';
import { workflowCode } from '../support/build.ts';
import { timeSkippingServer } from './story-support.ts';

let env: TestWorkflowEnvironment;

beforeAll(async () => {
  env = await timeSkippingServer();
});

afterAll(async () => {
  await env.teardown();
});

test('kills are counted over an hour in one workflow, which ends when an hour has passed without one', async () => {
  const taskQueue = 'kills';
  const worker = await Worker.create({
    connection: env.nativeConnection,
    taskQueue,
    workflowBundle: await workflowCode(),
  });
  await worker.runUntil(async () => {
    const workflowId = killBudgetId;
    const handle = await env.client.workflow.start('killBudget', { workflowId, taskQueue });
    const ask = (key: string) =>
      handle.executeUpdate<Taken, [AskedKill]>(takeKillUpdate, { args: [{ key, perHour: 1 }] });
    expect(await ask('a#0')).toEqual({ granted: true });
    const refused = await ask('b#0');
    expect(refused.granted).toBe(false);
    await env.sleep(countedMs / 2);
    expect(await ask('b#0')).toEqual(refused);
    const began = await env.currentTimeMs();
    await handle.result();
    // Half an hour was left; a refusal does not keep it alive.
    expect((await env.currentTimeMs()) - began).toBeLessThan(countedMs);
  });
});
