import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { makeAim } from '../../src/activities/aim.ts';
import type { ExperimentInput } from '../../src/experiment/spec.ts';
import { attempt, fakeKafka, type Look, refusal, replacePod, type Scene, scene } from './step-support.ts';

/** The clock stands still but for the looks, each of which takes a second. */
const start = Date.parse('2026-01-01T00:00:00Z');
const lookMs = 1_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: start });
});

afterEach(() => {
  vi.useRealTimers();
});

async function aimed(looks: (Look | 'silent')[], input: ExperimentInput = {}): Promise<Scene> {
  const at = await scene(fakeKafka(...looks), input);
  const { metadata } = at.kafka;
  at.kafka.metadata = (options) => {
    vi.setSystemTime(Date.now() + lookMs);
    return metadata(options);
  };
  return at;
}

type Round = { deadline?: number; until?: number; index?: number; runId?: string; waited?: Waited };
type Waited = { guardWaitMs: number; guardReasons: string[] };

function aim(at: Scene, round: Round = {}) {
  const { index = 0, deadline = start + lookMs, until = start + 60_000, runId, waited } = round;
  const { resolved } = at.context;
  const run = { ...resolved.run, ...(runId ? { runId } : {}) };
  const context = { ...at.context, resolved: { ...resolved, run } };
  return attempt(makeAim(at.deps), { ...context, liveness: at.liveness, index, deadline, until, waited });
}

const shrunk: Look = { isr: [1002, 1000] };
const waits = 'not in sync: broker 1001';

test('the plan names the pod that the broker advertises, not the one its digits suggest', async () => {
  const at = await aimed([{}]);
  expect(await aim(at)).toEqual({
    outcome: 'aimed',
    plan: {
      index: 0,
      deadline: start + lookMs,
      notAfter: start + lookMs + 10_000,
      broker: 1002,
      pod: 'kafka-kafka-2',
      namespace: 'kafka',
      podUid: at.kubernetes.objects.get('Pod kafka/kafka-kafka-2')?.metadata?.uid,
      resourceVersion: at.kubernetes.objects.get('Pod kafka/kafka-kafka-2')?.metadata?.resourceVersion,
      leader: 1002,
      leaderEpoch: 7,
      isr: [1002, 1000, 1001],
      replicas: [1002, 1000, 1001],
      controller: 1001,
      guardWaitMs: 0,
      guardReasons: [],
    },
  });
  expect(at.kubernetes.writes).toEqual([]);
});

test('what the guard waits beyond the deadline is said, and gives the kill as much more time', async () => {
  const at = await aimed([shrunk, shrunk, { ...shrunk, leader: -1 }, {}]);
  expect(await aim(at)).toMatchObject({
    plan: {
      guardWaitMs: 3 * lookMs,
      guardReasons: [waits, 'the partition has no leader'],
      deadline: start + lookMs,
      notAfter: start + lookMs + 3 * lookMs + 10_000,
    },
  });
});

test('what the guard had it wait before its target moved still counts', async () => {
  const at = await aimed([shrunk, {}]);
  const waited = { guardWaitMs: 7_000, guardReasons: ['down: broker 1000'] };
  expect(await aim(at, { deadline: start - 7_000, waited })).toMatchObject({
    plan: {
      guardWaitMs: 7_000 + 2 * lookMs,
      guardReasons: ['down: broker 1000', waits],
      notAfter: start + 2 * lookMs + 10_000,
    },
  });
});

test('the plan names the broker’s container and this life of it: the one that declares the client port', async () => {
  const at = await aimed([{}]);
  const pod = at.kubernetes.objects.get('Pod kafka/kafka-kafka-2');
  const containers = [
    { name: 'exporter', ports: [{ containerPort: 9308 }] },
    { name: 'k8skafka', ports: [{ containerPort: 9092 }] },
  ];
  const containerStatuses = containers.map(({ name }) => ({
    name,
    restartCount: 1,
    containerID: `containerd://id-of-${name}`,
    state: { running: {} },
  }));
  const spec = { ...(pod?.spec as object), nodeName: 'node-2', containers };
  at.kubernetes.objects.set('Pod kafka/kafka-kafka-2', { ...pod, spec, status: { containerStatuses } });
  expect(await aim(at)).toMatchObject({
    plan: { node: 'node-2', container: { name: 'k8skafka', id: 'id-of-k8skafka', restarts: 1 } },
  });
});

test('waiting before the deadline costs nothing', async () => {
  const at = await aimed([shrunk, shrunk, {}]);
  const deadline = start + 5 * lookMs;
  expect(await aim(at, { deadline })).toMatchObject({
    plan: { guardWaitMs: 0, guardReasons: [waits], notAfter: deadline + 10_000 },
  });
});

test('a worker that is late by itself gets no more time, and only its waiting counts when it waits as well', async () => {
  const deadline = start - 8 * lookMs;
  expect(await aim(await aimed([{}]), { deadline })).toMatchObject({
    plan: { guardWaitMs: 0, notAfter: deadline + 10_000 },
  });
  vi.setSystemTime(start);
  expect(await aim(await aimed([shrunk, {}]), { deadline })).toMatchObject({
    plan: { guardWaitMs: 2 * lookMs, notAfter: deadline + 2 * lookMs + 10_000 },
  });
});

test('a guard that never lets it through skips the kill at the end of its time', async () => {
  const at = await aimed([shrunk]);
  expect(await aim(at, { until: start + 3 * lookMs })).toEqual({
    outcome: 'skipped',
    reason: `the guard waited up to the next deadline: ${waits}`,
  });
});

test('a broker that somebody else took away is named with what keeps it away', async () => {
  const at = await aimed([shrunk]);
  const pod = at.kubernetes.objects.get('Pod kafka/kafka-kafka-1');
  const message =
    '0/3 nodes are available: 1 node(s) were unschedulable, 2 node(s) had a volume node affinity conflict';
  const condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message };
  if (pod) pod.status = { phase: 'Pending', conditions: [condition] };
  expect(await aim(at, { until: start + 3 * lookMs })).toEqual({
    outcome: 'skipped',
    reason: `the guard waited up to the next deadline: ${waits}; kafka-kafka-1: Unschedulable: ${message}`,
  });
});

test('a Kafka that does not answer for a while is waited for', async () => {
  const at = await aimed(['silent', {}]);
  expect(await aim(at)).toMatchObject({ outcome: 'aimed', plan: { guardReasons: ['no broker answers'] } });
});

test('a broker whose pod is terminating already is not aimed at', async () => {
  const at = await aimed([{}]);
  await replacePod(at, 2, { deletionTimestamp: '2026-01-01T00:00:00Z' });
  expect(await aim(at, { until: start + 2 * lookMs })).toMatchObject({
    outcome: 'skipped',
    reason: expect.stringContaining('pod kafka-kafka-2 is terminating'),
  });
});

test('a broker that no pod advertises is an error that may pass, not a guess', async () => {
  const at = await aimed([{}]);
  at.kubernetes.objects.delete('Pod kafka/kafka-kafka-2');
  expect(await refusal(aim(at))).toMatchObject({ code: 'BROKER_UNMAPPED', step: 'kill', retried: true });
});

test('a pod of the same name that the StatefulSet does not own is no broker', async () => {
  const at = await aimed([{}]);
  await replacePod(at, 2, { ownerReferences: [{ uid: 'another' }] });
  expect(await refusal(aim(at))).toMatchObject({ code: 'BROKER_UNMAPPED' });
});

test('a random broker is the same one when the step is tried again, and not always the same', async () => {
  const input: ExperimentInput = { target: 'random' };
  const at = await aimed([{}], input);
  const brokerOf = async (index: number) => {
    const found = await aim(at, { index });
    return found.outcome === 'aimed' ? found.plan.broker : undefined;
  };
  const indexes = [0, 1, 2, 3, 4, 5, 6, 7];
  const first = [];
  for (const index of indexes) first.push(await brokerOf(index));
  const again = [];
  for (const index of indexes) again.push(await brokerOf(index));
  expect(again).toEqual(first);
  expect(new Set(first).size).toBeGreaterThan(1);
  expect(first).not.toContain(undefined);
});

test.each([
  ['is gone', undefined, 'the liveness pod is gone'],
  ['is another one', { metadata: { uid: 'another' } }, 'the liveness pod is gone'],
  ['is being deleted', { metadata: { deletionTimestamp: 'now' } }, 'the liveness pod is being deleted'],
  [
    'has a container that ended',
    { status: { containerStatuses: [{ name: 'kafka-consumer', state: { terminated: { exitCode: 3 } } }] } },
    'container kafka-consumer ended with exit code 3',
  ],
])('no kill without a witness: the liveness pod %s', async (_, change, reason) => {
  const at = await aimed([{}]);
  const key = 'Pod kafka/kafka-liveness';
  const pod = at.kubernetes.objects.get(key);
  if (change) {
    const metadata = { ...pod?.metadata, ...('metadata' in change ? change.metadata : {}) };
    at.kubernetes.objects.set(key, { ...pod, ...change, metadata });
  } else at.kubernetes.objects.delete(key);
  expect(await aim(at)).toEqual({ outcome: 'stream-ended', reason });
  expect(at.kafka.calls).toEqual([]);
});
