import { expect, test } from 'vitest';
import { killed } from '../support/killed.ts';
import { haveRoleWorker } from '../support/role-worker.ts';

const taskQueue = 'e2e-death';
const crash = { kind: 'crash', privileged: true };
haveRoleWorker(taskQueue, ['target', 'crash'], { LEADERFALL_ALLOW_FAULTS: 'crash' });

/** The broker said that it shuts down, in words that the test has read itself. */
const shutdown = /controlled shutdown|shutting down|due to signal/i;

test('the leader’s pod deleted with its grace: a controlled shutdown, by the broker’s own log', async () => {
  const { kill, victim, before, end, log, deletions } = await killed(taskQueue, {
    fault: { kind: 'delete' },
  });
  expect(victim).toBe(before.leader);
  expect(deletions).toHaveLength(1);
  expect(log).toMatch(/Controlled shutdown succeeded/);
  expect(end?.exitCode).toBe(143);
  expect(kill).toMatchObject({
    status: 'proven',
    plan: { broker: victim },
    act: { outcome: 'deleted' },
    proof: { death: 'controlled-shutdown', exitCode: 143, expectedOutage: { ms: expect.any(Number) } },
  });
});

test('the leader’s process killed: exit code 137 of the same pod, not a word in its log, a crash', async () => {
  const { kill, victim, before, end, log, deletions, crashPods } = await killed(taskQueue, { fault: crash });
  expect(victim).toBe(before.leader);
  expect(end).toMatchObject({ exitCode: 137, reason: 'Error' });
  expect(log).not.toBe('');
  expect(log).not.toMatch(shutdown);
  expect(deletions).toEqual([]);
  expect(crashPods).toHaveLength(1);
  expect(kill).toMatchObject({
    status: 'proven',
    plan: { broker: victim },
    act: { outcome: 'killed' },
    proof: { death: 'crashed', exitCode: 137, expectedOutage: { ms: expect.any(Number) } },
  });
});
