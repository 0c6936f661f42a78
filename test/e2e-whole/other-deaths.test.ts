import { expect, test } from 'vitest';
import { brokers } from '../support/deaths.ts';
import { killed } from '../support/killed.ts';
import { haveRoleWorker } from '../support/role-worker.ts';

/** Deaths beside those that 6-kinds-of-death tries with every change. */
const taskQueue = 'e2e-other-deaths';
haveRoleWorker(taskQueue);

test('a random broker’s pod deleted by force: told to stop all the same, so no crash', async () => {
  const { kill, victim, log, deletions } = await killed(taskQueue, {
    target: 'random',
    fault: { kind: 'force-delete' },
  });
  expect(brokers).toContain(victim);
  expect(deletions).toHaveLength(1);
  expect(log).toMatch(/due to signal/);
  const byItself = /shut down completed/.test(log);
  expect(kill).toMatchObject({
    status: 'proven',
    plan: { broker: victim },
    act: { outcome: 'deleted', gracePeriodSeconds: 0 },
    proof: { death: byItself ? 'controlled-shutdown' : 'terminated' },
  });
});

test('target controller, with a grace that is too short: terminated', async () => {
  const { kill, victim, before, end, log } = await killed(taskQueue, {
    target: 'controller',
    fault: { kind: 'delete', graceSeconds: 1 },
  });
  expect(victim).toBe(before.controller);
  expect(log).toMatch(/due to signal/);
  expect(end?.exitCode).toBe(137);
  expect(kill).toMatchObject({ plan: { broker: victim }, proof: { death: 'terminated', exitCode: 137 } });
});

// A broker by its id is killed in 1-worker-dies.
test('target follower, with a stream of several partitions and everything that it can do', async () => {
  const { result, kill, victim, before, deletions } = await killed(taskQueue, {
    target: 'follower',
    fault: { kind: 'delete' },
    liveness: { partitions: 3, keys: 7, idempotent: true, compression: 'gzip' },
  });
  expect(result.stream).toMatchObject({ lost: 0, duplicated: 0, delivery: { idempotent: true } });
  // A broker that follows in partition 0 leads another one.
  const shrunk = result.stream?.metadata?.shrinks.map(({ partition }) => partition);
  expect([...new Set(shrunk)].sort()).toEqual([0, 1, 2]);
  expect(deletions).toHaveLength(1);
  expect(before.isr).toContain(victim);
  expect(victim).not.toBe(before.leader);
  expect(kill).toMatchObject({ plan: { broker: victim }, proof: { death: 'controlled-shutdown' } });
});
