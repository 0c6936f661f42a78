import { expect, test, vi } from 'vitest';
import { aim, aimed, holdClock, lookMs, shrunk, start, waits } from './aim-support.ts';
import { run } from './step-support.ts';

holdClock();

const elsewhere = {
  ...{ topic: 'orders', partition: 4, leader: 1000, leaderEpoch: 0 },
  ...{ replicas: [1000, 1002], isr: [1000, 1002] },
};

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

test('a partition elsewhere in the cluster that cannot spare the broker holds the kill, and its topic is asked for once', async () => {
  const at = await aimed([{}]);
  at.kafka.others = [elsewhere];
  at.kafka.minInsync = { orders: 2 };
  const round = { until: start + 3 * lookMs };
  expect(await aim(at, round)).toEqual({
    outcome: 'skipped',
    reason:
      'the guard waited up to the next deadline: without broker 1002 below min.insync.replicas (guard.allow: min-isr-equals-rf): 1 partition (orders-4)',
  });
  expect(at.kafka.calls.filter((call) => call.startsWith('minInsyncReplicas'))).toEqual([
    'minInsyncReplicas t __consumer_offsets orders',
  ]);
  at.context.resolved.experiment.guard.allow = ['min-isr-equals-rf'];
  vi.setSystemTime(start);
  expect(await aim(at, round)).toHaveProperty('outcome', 'aimed');
});

test('what others do to the brokers holds the kill until they have done', async () => {
  const at = await aimed([{}]);
  const budget = {
    ...{
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: 'pdb', namespace: 'kafka' },
    },
    ...{ spec: { selector: {} }, status: { currentHealthy: 0, desiredHealthy: 3 } },
  };
  await at.kubernetes.create(budget);
  const ref = { apiVersion: 'apps/v1', kind: 'StatefulSet', namespace: 'kafka', name: 'kafka-kafka' };
  const revisions = { currentRevision: 'a', updateRevision: 'b', updatedReplicas: 2 };
  await at.kubernetes.mergePatch(ref, { status: revisions });
  const pod = { apiVersion: 'v1', kind: 'Pod', namespace: 'kafka', name: 'kafka-kafka-2' };
  await at.kubernetes.mergePatch(pod, { spec: { nodeName: 'node-2' } });
  await at.kubernetes.create({
    ...{ apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-2' } },
    spec: { unschedulable: true },
  });
  const reasons = [
    'StatefulSet kafka-kafka is being rolled out: 2 of 3 pods (guard.allow: rollout)',
    'PodDisruptionBudget pdb spares no pod: 3 healthy, 3 wanted (guard.allow: disruption-budget)',
  ];
  const held = async () => {
    vi.setSystemTime(start);
    const answer = await aim(at, { until: start + 2 * lookMs });
    return 'reason' in answer ? answer.reason.replace(/^.*deadline: /, '').split('; ') : answer.outcome;
  };
  expect(await held()).toEqual(reasons);
  at.context.resolved.seesNodes = true;
  expect(await held()).toEqual([...reasons, 'node node-2 is cordoned (guard.allow: cordoned-node)']);
  await at.kubernetes.mergePatch(ref, { status: { updatedReplicas: 3 } });
  await at.kubernetes.remove({
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    namespace: 'kafka',
    name: 'pdb',
  });
  await at.kubernetes.mergePatch(
    { apiVersion: 'v1', kind: 'Node', name: 'node-2' },
    { spec: { unschedulable: null } },
  );
  expect(await held()).toBe('aimed');
});

test('a cluster that cannot be seen is not taken for one that can lose a broker', async () => {
  const at = await aimed([{}]);
  at.kafka.minInsyncReplicas = async () => {
    throw new Error('settings of topics: CLUSTER_AUTHORIZATION_FAILED');
  };
  expect(await aim(at, { until: start + 2 * lookMs })).toMatchObject({
    outcome: 'skipped',
    reason: expect.stringContaining('CLUSTER_AUTHORIZATION_FAILED'),
  });
});

test('a Kafka that does not answer for a while is waited for', async () => {
  const at = await aimed(['silent', {}]);
  expect(await aim(at)).toMatchObject({ outcome: 'aimed', plan: { guardReasons: ['no broker answers'] } });
});

test('a target that came under protection while the run went on is not killed', async () => {
  const at = await aimed([{}]);
  at.deps.policy = { protectedTargets: ['kafka/kafka-*'] };
  expect(await aim(at, { until: start + 3_000 })).toEqual({
    outcome: 'skipped',
    reason: expect.stringContaining('StatefulSet kafka/kafka-kafka is protected on this worker'),
  });
});

test('nobody is asked while nothing that they can say would let the kill be, and at once where that is beyond its turn', async () => {
  const at = await aimed([{}]);
  at.deps.policy = { protectedTargets: ['kafka'] };
  expect(await aim(at)).toMatchObject({ reason: expect.stringMatching(/^the guard would wait beyond/) });
  const freeze = [{ from: '2025-12-31T00:00:00Z', to: '2026-01-01T00:01:01Z' }];
  at.deps.policy = { killTimes: { timeZone: 'UTC', open: [], freeze } };
  expect(await aim(at)).toMatchObject({
    reason: expect.stringContaining('makes no kill now, but from 2026-01-01T00:01:01.000Z on'),
  });
  at.deps.policy = {};
  expect(await aim(at, { notBefore: start + 61_000 })).toMatchObject({
    reason: expect.stringContaining(
      'half an interval lies between two kills, which is over at 2026-01-01T00:01:01',
    ),
  });
  expect(at.kafka.calls).toEqual([]);
});

test('half an interval after the kill before it goes on, and has waited for that', async () => {
  const at = await aimed([{}]);
  const notBefore = start + 50;
  globalThis.setTimeout(() => vi.setSystemTime(notBefore), 10);
  expect(await aim(at, { notBefore, deadline: start })).toMatchObject({
    outcome: 'aimed',
    plan: { guardWaitMs: 50 + lookMs, guardReasons: [expect.stringContaining('half an interval')] },
  });
});

test('what asks much of brokers and API server is asked again only after a while', async () => {
  const at = await aimed([{}]);
  at.kafka.others = [{ ...elsewhere, leader: -1 }];
  let lists = 0;
  const { list } = at.kubernetes;
  at.kubernetes.list = async (...asked) => {
    lists++;
    return await list(...asked);
  };
  expect(await aim(at, { until: start + 9 * lookMs })).toMatchObject({
    reason: expect.stringContaining('offline: 1 partition (orders-4)'),
  });
  const looks = at.kafka.calls.filter((call) => call === 'metadata');
  // Nine of the stream's partition; all else at every second of them: pods and budgets, and the cluster's partitions; before and after, pods.
  expect(looks).toHaveLength(9 + 5);
  expect(lists).toBe(2 + 2 * 5);
});

test('hosts of brokers and of the API server are in no reason', async () => {
  const at = await aimed([{}]);
  at.kafka.minInsyncReplicas = () => Promise.reject(new Error('connect ECONNREFUSED 10.9.8.7:9092'));
  const { list } = at.kubernetes;
  at.kubernetes.list = async (kind, ...rest) => {
    if (kind.kind === 'PodDisruptionBudget')
      throw new Error('GET /apis: api.canary.example.com:6443 is away');
    return await list(kind, ...rest);
  };
  const answer = await aim(at, { until: start + 2 * lookMs });
  expect(answer).toMatchObject({ reason: expect.stringMatching(/not known: .*not known: /) });
  expect(JSON.stringify(answer)).not.toMatch(/canary|10\.9\.8\.7/);
});

test('the kill of the hour is asked for last, by run and index, and not again before one is free', async () => {
  const at = await aimed([shrunk, {}, {}, {}]);
  const asked: unknown[] = [];
  at.deps.policy = { maxKillsPerHour: 4 };
  at.deps.takeKill = async (...request) => {
    asked.push(request);
    return asked.length === 1 ? { granted: false, freeAt: Date.now() + 300 } : { granted: true };
  };
  const aimedAt = await aim(at, { index: 3 });
  expect(aimedAt).toMatchObject({
    outcome: 'aimed',
    plan: { guardReasons: [waits, expect.stringContaining('4 kills in the last hour are the most')] },
  });
  const key = `${run.runId}#3`;
  expect(asked).toEqual([
    [key, 4],
    [key, 4],
  ]);
  // The stream's partition three times, all partitions twice: none while it waited for the hour.
  expect(at.kafka.calls.filter((call) => call === 'metadata')).toHaveLength(3 + 2);
  at.deps.takeKill = async () => ({ granted: false, freeAt: Date.now() + 3_600_000 });
  expect(await aim(at, { index: 4, until: Date.now() + 60_000 })).toMatchObject({
    reason: expect.stringMatching(/^the guard would wait beyond .* again from 2026-01-01T01:00/),
  });
});

test('a Temporal that does not tell how many kills there were holds the kill', async () => {
  const at = await aimed([{}]);
  at.deps.policy = { maxKillsPerHour: 4 };
  at.deps.takeKill = () => Promise.reject(new Error('connect ECONNREFUSED 10.9.8.7:7233'));
  expect(await aim(at, { until: start + lookMs + 500 })).toMatchObject({
    outcome: 'skipped',
    reason: expect.stringContaining(
      'is not known (LEADERFALL_MAX_KILLS_PER_HOUR): connect ECONNREFUSED <host>',
    ),
  });
});
