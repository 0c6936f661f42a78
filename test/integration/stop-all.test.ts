import { afterAll, beforeAll, expect, test } from 'vitest';
import { placeLock } from '../../src/cli/lock.ts';
import { type StopRig, startStopRig, statusOf, story } from './stop-rig.ts';

/** `stop --all`, `lock` and `unlock` as people meet them. */
let rig: StopRig;

beforeAll(async () => {
  rig = await startStopRig(60);
});

afterAll(async () => {
  await rig?.close();
});

const ids = (prefix: string, count = 3) => Array.from({ length: count }, (_, index) => `${prefix}-${index}`);

async function started(prefix: string) {
  const handles = await Promise.all(ids(prefix).map(rig.start));
  for (const handle of handles)
    await expect.poll(async () => (await statusOf(handle)).next?.deadline, { timeout: 30_000 }).toBeDefined();
  return handles;
}

test('stop --all ends every run as Stopped, by whom and why, and runs may begin again', async () => {
  const handles = await started('run');
  const stopped = await rig.leaderfall('stop', '--all', '--reason', 'enough', '--actor', 'ann');
  expect([stopped.exitCode, stopped.stdout]).toEqual([
    0,
    expect.stringMatching(/^3 runs asked to stop within \d+ ms; runs may begin again$/),
  ]);
  for (const handle of handles) {
    expect((await handle.describe()).status.name).toBe('CANCELLED');
    expect(rig.recorded.get(handle.workflowId)).toMatchObject({
      verdict: 'Stopped',
      reasons: ['stopped by ann: enough'],
    });
  }
  expect((await rig.leaderfall('unlock')).stdout).toBe('not locked');
});

test('a lock reaches runs whose worker is away, and holds for whatever starts runs, until unlock', async () => {
  const { client } = rig.temporal;
  const [live] = await started('away');
  await rig.restartWorker(async () => {
    const locked = await rig.leaderfall('lock', '--reason', 'a release', '--actor', 'bob', '--timeout', '1');
    expect([locked.exitCode, locked.stdout]).toEqual([1, expect.stringContaining('not over: away-')]);
  });
  await expect(live?.result()).rejects.toThrow();
  expect(rig.recorded.get('away-0')?.reasons).toEqual(['stopped by bob: a release']);

  // By `leaderfall run`, the Web UI and any client alike: they all start this.
  await expect((await rig.start('refused')).result()).rejects.toThrow();
  expect(rig.recorded.get('refused')).toMatchObject({
    verdict: 'Error',
    reasons: [expect.stringMatching(/^LOCKED: no run may begin: locked by bob since 2.*Z: a release$/)],
  });

  const schedule = await client.schedule.create({
    scheduleId: 'nightly',
    spec: {},
    action: { type: 'startWorkflow', workflowType: 'kafkaBrokerFailure', ...story },
  });
  await schedule.trigger();
  const skipped = () => [...rig.recorded.values()].find(({ verdict }) => verdict === 'Skipped');
  await expect.poll(skipped, { timeout: 30_000 }).toBeDefined();
  expect(skipped()?.reasons).toEqual([expect.stringContaining('locked by bob since')]);

  // Who locks again is who is named; a stop leaves the lock alone.
  await placeLock(client, { actor: 'cat', reason: 'an incident' }, true);
  expect(await placeLock(client, { actor: 'ann', reason: 'enough' }, false)).toBeUndefined();
  const unlocked = await rig.leaderfall('unlock', '--reason', 'over', '--actor', 'cat');
  expect(unlocked.stdout).toMatch(/^unlocked; it was locked by cat since .*: an incident$/);
  const again = await rig.start('again');
  await expect.poll(async () => (await statusOf(again)).kills.proven, { timeout: 30_000 }).toBe(1);
});
