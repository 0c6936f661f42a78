import { expect, test } from 'vitest';
import type { ExperimentInput } from '../../src/experiment/spec.ts';
import { aim, aimed, holdClock, lookMs, start } from './aim-support.ts';
import { balance, refusal, replacePod, settle } from './step-support.ts';

holdClock();

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
      node: 'node-3',
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

test('it will not pass where every pod has been there for long', async () => {
  const at = await aimed([{}]);
  settle(at);
  balance(at);
  expect(await refusal(aim(at))).toMatchObject({
    code: 'BROKER_UNMAPPED',
    evidence: expect.arrayContaining(['no cluster.brokerPod rule is given']),
    retried: false,
  });
  // It may be the address of the pod before.
  await replacePod(at, 2);
  expect(await refusal(aim(at))).toMatchObject({ code: 'BROKER_UNMAPPED', retried: true });
});

test('a pod of the same name that the StatefulSet does not own is no broker', async () => {
  const at = await aimed([{}]);
  await replacePod(at, 2, { ownerReferences: [{ uid: 'another' }] });
  expect(await refusal(aim(at))).toMatchObject({ code: 'BROKER_UNMAPPED' });
});

test('a pod is the target whatever its digits and whoever leads, by the host that its broker advertises', async () => {
  const target = { pod: 'kafka-kafka-1' };
  const at = await aimed([{}], { target });
  expect(await aim(at)).toMatchObject({ plan: { broker: 1001, pod: 'kafka-kafka-1', leader: 1002 } });
  const proxied = await aimed([{}], { target });
  proxied.context.resolved.experiment.cluster.brokerPod = 'kafka-kafka-{id-1000}';
  const { metadata } = proxied.kafka;
  proxied.kafka.metadata = async (options) => {
    const whole = await metadata(options);
    return { ...whole, brokers: whole.brokers.map((broker) => ({ ...broker, host: 'proxy.example.com' })) };
  };
  expect(await aim(proxied)).toMatchObject({ plan: { broker: 1001, pod: 'kafka-kafka-1' } });
  // Which of the brokers is meant cannot be told then.
  delete proxied.context.resolved.experiment.cluster.brokerPod;
  expect(await refusal(aim(proxied))).toMatchObject({ code: 'BROKER_UNMAPPED' });
});

test('a pod whose broker is away is waited for', async () => {
  const input: ExperimentInput = { target: { pod: 'kafka-kafka-1' }, guard: { allow: ['broker-down'] } };
  const at = await aimed([{ brokers: [1000, 1002] }, { brokers: [1000, 1002] }, {}], input);
  expect(await aim(at)).toMatchObject({
    plan: { pod: 'kafka-kafka-1', guardReasons: ['pod kafka-kafka-1 is not in the metadata'] },
  });
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
