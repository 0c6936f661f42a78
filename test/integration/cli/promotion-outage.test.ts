import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPromotionActivities } from '../../../src/activities/promotion.ts';
import { cancelRun, findRecord } from '../../../src/worker/temporal-facts.ts';
import { type TemporalServer, temporalOfItsOwn } from '../../durability/temporal-server.ts';
import { main } from '../../support/build.ts';
import { startStoryWorker } from '../story-worker.ts';

/** A promotion that is waited for on a Temporal server of its own, which is away for longer than its client tries by itself. */
let server: TemporalServer & { folder: string };
let worker: { stop(): Promise<void> };

beforeAll(async () => {
  server = await temporalOfItsOwn('promotion-outage');
  const activities = createPromotionActivities({
    findRecord: (workflowId) => findRecord(server.client, workflowId),
    cancelRun: (run) => cancelRun(server.client, run),
  });
  worker = await startStoryWorker('own', activities, server.address);
});

afterAll(async () => {
  await worker.stop();
  await server.stop();
});

function leaderfall(...args: string[]) {
  const env = { TEMPORAL_ADDRESS: server.address, NO_COLOR: '1' };
  return execa(process.execPath, [main, 'promote', ...args], { reject: false, stdin: 'ignore', env });
}

test('whoever waits for a promotion is told its end, not that the connection was lost', async () => {
  const path = join(server.folder, 'orders.json');
  // Nobody serves its stage, which therefore goes on.
  const environment = { taskQueue: 'nobody' };
  const stages = [{ name: 'staging', environment, experiments: [{ cluster: { namespace: 'kafka' } }] }];
  writeFileSync(path, JSON.stringify({ name: 'orders', subject: 'orders@sha256:0', stages }));
  const started = await leaderfall('start', '-f', path, '--task-queue', 'own', '--json');
  expect([started.exitCode, started.stderr]).toEqual([0, '']);
  const { workflowId } = JSON.parse(started.stdout);
  const handle = server.client.workflow.getHandle(workflowId);
  await expect.poll(() => handle.query('status'), { timeout: 30_000 }).toMatchObject({ outcome: 'Running' });

  const waiting = leaderfall('status', workflowId, '--wait');
  await delay(3_000);
  await server.crash(28_000);
  const back = () => handle.query('status').catch(() => undefined);
  await expect.poll(back, { timeout: 60_000, interval: 500 }).toMatchObject({ outcome: 'Running' });
  await handle.terminate('by the test');
  const { exitCode, stdout, stderr } = await waiting;
  expect([exitCode, stdout]).toEqual([3, '']);
  expect(stderr).toContain('no answer of Temporal, trying again');
  expect(stderr).toContain('the promotion was terminated from outside');
});
