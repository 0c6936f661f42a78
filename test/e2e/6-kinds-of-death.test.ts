import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { ChaosResult, KillRecord } from '../../src/experiment/result.ts';
import type { ExperimentInput } from '../../src/experiment/spec.ts';
import type { KubernetesObject } from '../../src/kubernetes/port.ts';
import { brokers, type ContainerEnd, type Sight, witness } from '../support/deaths.ts';
import { ensureKafka, oneKill, streamsLeft } from '../support/kafka.ts';
import {
  brokerDeletions,
  cluster,
  leftIn,
  type PodDeletion,
  runExperiment,
  startWorker,
  type WorkerProcess,
} from '../support/testbed.ts';

const taskQueue = 'e2e-death';
const crash = { kind: 'crash', privileged: true };
let worker: WorkerProcess;

beforeAll(async () => {
  await ensureKafka();
  const manifest = new URL('../../deploy/kustomize/crash/namespace.yaml', import.meta.url);
  await cluster.create(parse(readFileSync(manifest, 'utf8')) as KubernetesObject);
  worker = await startWorker(taskQueue, { LEADERFALL_ALLOW_FAULTS: 'crash' });
});

afterAll(async () => {
  await worker.stop();
});

interface Seen {
  result: ChaosResult;
  kill: KillRecord;
  /** The broker whose process ended, by its log or its container: not from our records. */
  victim: number;
  end?: ContainerEnd;
  /** What the test's own client saw last before the kill. */
  before: Sight;
  log: string;
  crashPods: string[];
  deletions: PodDeletion[];
}

/**
 * One run with one kill, seen by the test's own eyes, and nothing left of it. The interval decides only how late the kill may be: the
 * first crash on a node has to pull the image first.
 */
async function killed(experiment: ExperimentInput): Promise<Seen> {
  const seen = await witness();
  const since = Date.now();
  try {
    const { result, stdout, stderr } = await runExperiment(
      { ...oneKill, schedule: { durationSeconds: 20, intervalSeconds: 20 }, ...experiment },
      { taskQueue, workflowId: `e2e-death-${since}` },
    );
    const [kill] = result?.kills ?? [];
    if (!result || !kill?.plan) throw new Error(`no kill: ${stdout}\n${stderr.slice(-3_000)}`);
    expect(result.verdict, `${result.reasons.join('\n')}\n${JSON.stringify(kill)}`).toBe('Pass');
    await expectNothingLeft(result);
    const deletions = brokerDeletions(since);
    const ends = seen.ends();
    const [deletion] = deletions;
    const crashed = ends.find(({ exitCode }) => exitCode === 137);
    const victim = deletion ? Number(deletion.pod.split('-').at(-1)) : (crashed?.broker ?? -1);
    // Stamps of containers have whole seconds; a crash is not noticed by Kafka for some seconds, so a look right before it will do.
    const before = seen.before(deletion?.at ?? (crashed?.finishedAt ?? 0) - 500);
    if (!before) throw new Error('the test’s own client saw no leader before the kill');
    return {
      result,
      kill,
      victim,
      before,
      deletions,
      end: ends.find(({ broker }) => broker === victim),
      log: seen.log(victim),
      crashPods: seen.crashPods(),
    };
  } finally {
    await seen.stop();
  }
}

async function expectNothingLeft({ run, leftovers }: ChaosResult): Promise<void> {
  expect(leftovers).toEqual([]);
  const own = { label: `leaderfall.io/run-id=${run.runId}` };
  expect(await leftIn('kafka', own)).toEqual([]);
  expect(await leftIn('leaderfall-crash', own)).toEqual([]);
  expect(await streamsLeft(run)).toEqual([]);
}

/** The broker said that it shuts down, in words that the test has read itself. */
const shutdown = /controlled shutdown|shutting down|due to signal/i;

test('the leader’s pod deleted with its grace: a controlled shutdown, by the broker’s own log', async () => {
  const { kill, victim, before, end, log, deletions } = await killed({ fault: { kind: 'delete' } });
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

test('a random broker’s pod deleted by force: told to stop all the same, so no crash', async () => {
  const { kill, victim, log, deletions } = await killed({
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

test('the leader’s process killed: exit code 137 of the same pod, not a word in its log, a crash', async () => {
  const { kill, victim, before, end, log, deletions, crashPods } = await killed({ fault: crash });
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

test('target controller, with a grace that is too short: terminated', async () => {
  const { kill, victim, before, end, log } = await killed({
    target: 'controller',
    fault: { kind: 'delete', graceSeconds: 1 },
  });
  expect(victim).toBe(before.controller);
  expect(log).toMatch(/due to signal/);
  expect(end?.exitCode).toBe(137);
  expect(kill).toMatchObject({ plan: { broker: victim }, proof: { death: 'terminated', exitCode: 137 } });
});

// A broker by its id is killed in 1-worker-dies.
test('target follower', async () => {
  const { kill, victim, before, deletions } = await killed({ target: 'follower', fault: { kind: 'delete' } });
  expect(deletions).toHaveLength(1);
  expect(before.isr).toContain(victim);
  expect(victim).not.toBe(before.leader);
  expect(kill).toMatchObject({ plan: { broker: victim }, proof: { death: 'controlled-shutdown' } });
});
