import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TemporalServer, temporalOfItsOwn } from '../../durability/temporal-server.ts';
import { main } from '../../support/build.ts';

/** A schedule on a Temporal server of its own, which is away for longer than the schedule makes up for. */
let server: TemporalServer & { folder: string };

beforeAll(async () => {
  server = await temporalOfItsOwn('outage');
});

afterAll(async () => {
  await server.stop();
});

test('starts that were missed for longer than the catch-up window are left out', async () => {
  const path = join(server.folder, 'often.json');
  const when = { every: [{ interval: '2s' }] };
  const experiment = { cluster: { namespace: 'kafka' } };
  writeFileSync(path, JSON.stringify({ name: 'often', when, catchUp: '10s', experiment }));
  const made = await execa(process.execPath, [main, 'schedule', 'create', '-f', path], {
    reject: false,
    env: { TEMPORAL_ADDRESS: server.address },
  });
  expect([made.exitCode, made.stderr]).toEqual([0, '']);
  const often = server.client.schedule.getHandle('often');
  const info = async () => (await often.describe()).info;
  // No worker takes its run, which therefore goes on.
  await expect.poll(async () => (await info()).numActionsTaken, { timeout: 30_000 }).toBe(1);
  expect((await info()).numActionsMissedCatchupWindow).toBe(0);
  await server.crash(25_000);
  // Of 25 s of starts every 2 s, those of the last 10 s are not too late.
  await expect
    .poll(async () => (await info().catch(() => undefined))?.numActionsMissedCatchupWindow ?? 0, {
      timeout: 60_000,
    })
    .toBeGreaterThanOrEqual(5);
  const { numActionsTaken, numActionsSkippedOverlap } = await info();
  // What came within the window found the run still going.
  expect(numActionsTaken).toBe(1);
  expect(numActionsSkippedOverlap).toBeGreaterThan(0);
});
