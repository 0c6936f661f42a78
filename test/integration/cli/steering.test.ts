import { Client, Connection } from '@temporalio/client';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { main } from '../../support/build.ts';
import { healthy, type Seen } from '../../workflow/story-support.ts';
import { realClock, startStoryWorker } from '../story-worker.ts';

/** The commands that steer a live run, against the real workflow on a real server; its steps need no cluster. */
const taskQueue = `steering-${Date.now()}`;
const workflowId = taskQueue;
const seen: Seen = { calls: [], acts: [] };
const minutes = { durationSeconds: 180, intervalSeconds: 60 };

let connection: Connection;
let client: Client;
let worker: { stop(): Promise<void> };

beforeAll(async () => {
  connection = await Connection.connect({ address: process.env.TEMPORAL_ADDRESS ?? '127.0.0.1:7233' });
  client = new Client({ connection });
  const base = healthy(realClock, seen, {}, minutes);
  worker = await startStoryWorker(taskQueue, {
    ...base,
    record: async (request) => {
      if (request.cancelRun) await client.workflow.getHandle(workflowId).cancel();
      return await base.record(request);
    },
  });
});

afterAll(async () => {
  await worker.stop();
  await connection.close();
});

function leaderfall(...args: string[]) {
  return execa(process.execPath, [main, ...args], { reject: false, stdin: 'ignore', env: { NO_COLOR: '1' } });
}

async function status(): Promise<{ next?: { kill: number; deadline?: string }; kills: { planned: number } }> {
  return await client.workflow.getHandle(workflowId).query('status');
}

test('a live run is paused, resumed, hurried, extended and stopped from the command line', async () => {
  await client.workflow.start('kafkaBrokerFailure', {
    taskQueue,
    workflowId,
    args: [{ cluster: { namespace: 'kafka' } }],
  });
  // The first kill is made at once, the second is due in a minute.
  await expect.poll(async () => (await status()).next, { timeout: 60_000 }).toMatchObject({ kill: 2 });
  await expect.poll(async () => (await status()).next?.deadline, { timeout: 60_000 }).toBeDefined();

  const paused = await leaderfall('pause', workflowId, '--reason', 'a release', '--actor', 'ann');
  expect([paused.exitCode, paused.stdout]).toEqual([0, 'paused: no kill before resume']);
  const again = await leaderfall('pause', workflowId);
  expect(again.exitCode).toBe(3);
  expect(again.stderr).toContain('REQUEST_REFUSED: pause: it is paused already, by ann: a release');
  const before = (await status()).next?.deadline ?? '';
  expect((await leaderfall('resume', workflowId)).exitCode).toBe(0);
  await expect
    .poll(async () => Date.parse((await status()).next?.deadline ?? '') - Date.parse(before), {
      timeout: 10_000,
    })
    .toBeGreaterThan(0);

  expect((await leaderfall('extend', workflowId, '--kills', '2')).stdout).toBe('extended by 2 kills');
  expect((await status()).kills.planned).toBe(5);
  expect((await leaderfall('kill-now', workflowId)).stdout).toBe('kill 2 is being made');
  await expect.poll(() => seen.acts.length, { timeout: 30_000 }).toBe(2);
  const [first, second] = seen.acts;
  expect((second?.deadline ?? 0) - (first?.deadline ?? 0)).toBeLessThan(60_000);

  expect((await leaderfall('skip-next', workflowId)).stdout).toBe('the next kill will be skipped');
  const aborted = await leaderfall('abort', workflowId, '--reason', 'enough', '--actor', 'bob');
  expect(aborted.exitCode).toBe(0);
  expect(seen.recorded).toMatchObject({ verdict: 'Stopped', reasons: ['stopped by bob: enough'] });
  expect((await client.workflow.getHandle(workflowId).describe()).status.name).toBe('CANCELLED');

  const late = await leaderfall('pause', workflowId);
  expect([late.exitCode, late.stderr]).toEqual([64, expect.stringContaining('no run')]);
});

test('a run that never was is named', async () => {
  const { exitCode, stderr } = await leaderfall('resume', 'never-was');
  expect([exitCode, stderr]).toEqual([64, expect.stringContaining('no run never-was is under way')]);
});
