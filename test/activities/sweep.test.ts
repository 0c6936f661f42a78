import fc from 'fast-check';
import { afterEach, expect, test, vi } from 'vitest';
import { problem } from '../../src/experiment/errors.ts';
import { ownerOf, runAnnotations, topicName } from '../../src/experiment/identity.ts';
import { fakeKubernetes } from '../support/fake-kubernetes.ts';
import { temporalServer } from '../support/temporal-server.ts';
import { refusal } from './step-support.ts';
import {
  type Answer,
  depsOf,
  everything,
  kafkas,
  later,
  leave,
  makeKafka,
  marked,
  past,
  rowOf,
  runOf,
  sweep,
} from './sweep-support.ts';

vi.mock(import('../../src/activities/brokers.ts'), async (original) => ({
  ...(await original()),
  withKafka: async (_deps, _experiment, { namespace }, use) => {
    const { kafkas: all } = await import('./sweep-support.ts');
    const kafka = all.get(namespace);
    if (!kafka) throw problem('KAFKA_UNREACHABLE', 'no broker answers', { retryable: true });
    return await use({ kafka, reach: 'direct', bootstrap: [] });
  },
}));

afterEach(() => kafkas.clear());

test('removes all that a terminated run left, and restores what it had annotated', async () => {
  const kubernetes = fakeKubernetes();
  await leave(kubernetes, 'kafka', 'dead');
  const report = await sweep(depsOf(kubernetes, { dead: 'over' }), { namespaces: ['kafka'] });
  expect([...everything(kubernetes).keys()]).toEqual(['StatefulSet kafka/kafka-kafka']);
  expect(kubernetes.objects.get('StatefulSet kafka/kafka-kafka')?.metadata?.annotations).toEqual({
    'litmuschaos.io/chaos': 'false',
  });
  const topic = topicName({ runId: 'dead' }, later);
  expect(rowOf(report, 'dead')).toMatchObject({
    run: 'default/w/dead',
    state: 'ended',
    done: [
      '1 crash pods removed',
      'pod kafka-liveness removed',
      `topic ${topic} removed`,
      `group ${topic}-0 removed`,
      'annotation litmuschaos.io/chaos back to "false"',
      'claim released',
    ],
    leftovers: [],
  });
  expect(kubernetes.writes.at(-1)).toBe('delete Lease kafka/leaderfall-kafka-kafka');
  expect((await sweep(depsOf(kubernetes, {}), { namespaces: ['kafka'] })).runs).toEqual([]);
});

test('only says what it would do', async () => {
  const kubernetes = fakeKubernetes();
  await leave(kubernetes, 'kafka', 'dead');
  const before = everything(kubernetes);
  const report = await sweep(depsOf(kubernetes, {}), { namespaces: ['kafka'], dryRun: true });
  expect(everything(kubernetes)).toEqual(before);
  expect(kubernetes.writes).toEqual([]);
  expect(rowOf(report, 'dead')).toMatchObject({ state: 'ended', done: [], leftovers: [] });
  expect(rowOf(report, 'dead')?.found).toHaveLength(5);
});

test.each(['running', 'elsewhere', 'no answer'] as const)(
  'leaves everything of a run of which Temporal says %s, and says so; only a run that goes on outlives its expiry',
  async (answer) => {
    const kubernetes = fakeKubernetes();
    await leave(kubernetes, 'one', 'alive');
    await leave(kubernetes, 'two', 'expired', past);
    const before = everything(kubernetes);
    const report = await sweep(depsOf(kubernetes, { alive: answer, expired: answer }), {
      namespaces: ['one', 'two'],
    });
    const mine = (key: string) => /one|alive/.test(key);
    const left = [...everything(kubernetes)].filter(([key]) => mine(key));
    expect(left).toEqual([...before].filter(([key]) => mine(key)));
    expect(rowOf(report, 'alive')?.state).toBe(answer === 'running' ? 'live' : 'unknown');
    expect(rowOf(report, 'expired')?.state).toBe(answer === 'running' ? 'live' : 'ended');
    expect(kubernetes.objects.has('Lease two/leaderfall-kafka-kafka')).toBe(answer === 'running');
  },
);

test('what a run of another Temporal made stays, also where a namespace of that name is here and does not know the run', async () => {
  for (const [id, state] of [
    ['ann', 'unknown'],
    ['bob', 'ended'],
  ]) {
    kafkas.clear();
    const kubernetes = fakeKubernetes();
    await leave(kubernetes, 'kafka', 'dead');
    await kubernetes.create(marked('Instance', 'kafka', 'kafka', 'dead', later));
    for (const { metadata } of kubernetes.objects.values())
      Object.assign(metadata?.annotations ?? {}, { 'leaderfall.io/temporal-namespace-id': id });
    const before = everything(kubernetes);
    const deps = { ...depsOf(kubernetes, {}), ...temporalServer('bob') };
    const report = await sweep(deps, { namespaces: ['kafka'] });
    expect(rowOf(report, 'dead')).toMatchObject({ state, leftovers: [] });
    if (state === 'ended') {
      expect([...everything(kubernetes).keys()]).toEqual(['StatefulSet kafka/kafka-kafka']);
      expect(kubernetes.objects.get('StatefulSet kafka/kafka-kafka')?.metadata?.annotations).toEqual({
        'litmuschaos.io/chaos': 'false',
      });
    } else {
      expect(rowOf(report, 'dead')?.why).toBe('its Temporal namespace, of the id ann, is not here');
      expect(everything(kubernetes)).toEqual(before);
    }
  }
});

test('a topic that nothing but its name belongs to is removed once its run is known to be over, or it has expired', async () => {
  const kubernetes = fakeKubernetes();
  const { topics } = await makeKafka(kubernetes, 'kafka');
  const [over, forgotten, expired] = [
    topicName({ runId: 'over' }, later),
    topicName({ runId: 'forgotten' }, later),
    topicName({ runId: 'expired' }, past),
  ];
  for (const topic of [over, forgotten, expired, 'orders', 'leaderfall-orders']) topics.add(topic);
  const report = await sweep(depsOf(kubernetes, { over: 'over' }), { namespaces: ['kafka'] });
  expect([...topics]).toEqual([forgotten, 'orders', 'leaderfall-orders']);
  expect(rowOf(report, 'forgotten')).toMatchObject({
    state: 'unknown',
    why: 'this Temporal does not know its run',
  });
});

test('where the Kafka cannot be asked for topics, the claim stays until the next round, and the rest goes', async () => {
  const kubernetes = fakeKubernetes();
  await leave(kubernetes, 'kafka', 'dead');
  const kafka = kafkas.get('kafka');
  kafkas.clear();
  const deps = depsOf(kubernetes, {});
  const report = await sweep(deps, { namespaces: ['kafka'] });
  expect(report.notes[0]).toContain('kafka/kafka-kafka are not looked at: no broker answers');
  expect(rowOf(report, 'dead')?.leftovers).toMatchObject([{ kind: 'Lease' }]);
  expect(kubernetes.objects.has('Pod kafka/kafka-liveness')).toBe(false);
  if (kafka) kafkas.set('kafka', kafka);
  await sweep(deps, { namespaces: ['kafka'] });
  expect([...everything(kubernetes).keys()]).toEqual(['StatefulSet kafka/kafka-kafka']);
});

test('what cannot be removed is left over with its reason, and keeps nothing else from being removed', async () => {
  const kubernetes = fakeKubernetes();
  await leave(kubernetes, 'kafka', 'dead');
  kubernetes.mergePatch = async () => {
    throw problem('KUBERNETES_REFUSED', 'patch: forbidden');
  };
  const report = await sweep(depsOf(kubernetes, {}), { namespaces: ['kafka'] });
  expect(rowOf(report, 'dead')?.leftovers).toEqual([
    { kind: 'StatefulSet annotation', name: 'kafka-kafka', namespace: 'kafka', reason: 'patch: forbidden' },
  ]);
  expect([...everything(kubernetes).keys()]).toEqual(['StatefulSet kafka/kafka-kafka']);
});

test('what was installed goes, Kafka before ZooKeeper, under a claim of the janitor’s own', async () => {
  const kubernetes = fakeKubernetes();
  await leave(kubernetes, 'kafka', 'dead');
  for (const name of ['zookeeper-instance', 'kafka'])
    await kubernetes.create(marked('Instance', 'kafka', name, 'dead', later));
  kubernetes.writes.length = 0;
  let holder: unknown;
  const { remove } = kubernetes;
  kubernetes.remove = async (ref, options) => {
    if (ref.kind === 'Instance') holder = kubernetes.objects.get('Lease kafka/leaderfall-kafka-kafka');
    return await remove(ref, options);
  };
  const report = await sweep(depsOf(kubernetes, {}), { namespaces: ['kafka'] });
  expect(kubernetes.writes.filter((write) => write.includes('Instance'))).toEqual([
    'delete Instance kafka/kafka',
    'delete Instance kafka/zookeeper-instance',
  ]);
  expect(holder).toMatchObject({
    spec: { holderIdentity: 'default/j/janitor' },
    metadata: { annotations: { 'leaderfall.io/temporal-namespace-id': 'own-id' } },
  });
  expect(rowOf(report, 'dead')?.leftovers).toEqual([]);
  expect(kubernetes.objects.has('Lease kafka/leaderfall-kafka-kafka')).toBe(false);
});

test('a Kafka that a live run has claimed stays, whoever installed it; so does one that is to be kept', async () => {
  const kubernetes = fakeKubernetes();
  await leave(kubernetes, 'kafka', 'alive');
  await kubernetes.create(marked('Instance', 'kafka', 'kafka', 'dead', later));
  await makeKafka(kubernetes, 'other');
  const kept = marked('Instance', 'other', 'kafka', 'done', later);
  kept.metadata.annotations['leaderfall.io/keep'] = 'true';
  kept.metadata.annotations['leaderfall.io/temporal-namespace-id'] = 'own-id';
  await kubernetes.create(kept);
  const report = await sweep(depsOf(kubernetes, { alive: 'running' }), { namespaces: ['kafka', 'other'] });
  expect(kubernetes.objects.has('Instance kafka/kafka')).toBe(true);
  expect(rowOf(report, 'dead')?.leftovers[0]?.reason).toBe(
    'run default/w/alive has a claim in this namespace',
  );
  expect(kubernetes.objects.get('Instance other/kafka')?.metadata).toMatchObject({
    labels: {},
    annotations: {},
  });
});

test('a claim says nothing about any namespace but its own', async () => {
  const kubernetes = fakeKubernetes();
  await leave(kubernetes, 'kafka', 'dead');
  await makeKafka(kubernetes, 'other');
  kafkas.get('other')?.topics.add(topicName({ runId: 'dead' }, later));
  const lease = kubernetes.objects.get('Lease kafka/leaderfall-kafka-kafka');
  Object.assign(lease?.metadata?.annotations ?? {}, {
    'leaderfall.io/request': JSON.stringify({ experiment: { cluster: { namespace: 'other' } } }),
  });
  await sweep(depsOf(kubernetes, {}), { namespaces: ['kafka'] });
  expect(kafkas.get('other')?.topics.size).toBe(1);
  expect(kafkas.get('kafka')?.topics.size).toBe(0);
});

test('a right that it lacks is named before anything is touched', async () => {
  const kubernetes = fakeKubernetes();
  await leave(kubernetes, 'kafka', 'dead');
  kubernetes.denied.add('patch statefulsets');
  expect(await refusal(sweep(depsOf(kubernetes, {}), { namespaces: ['kafka'] }))).toMatchObject({
    code: 'PERMISSION_MISSING',
    evidence: ['patch statefulsets.apps in namespace kafka'],
  });
  expect(kubernetes.writes).toEqual([]);
});

test('looks where claims are and at the default target; with neither it asks where to look', async () => {
  const kubernetes = fakeKubernetes();
  await leave(kubernetes, 'kafka', 'dead');
  const deps = depsOf(kubernetes, {});
  deps.defaults.target = { namespace: 'staging' };
  expect((await sweep(deps)).namespaces).toEqual(['kafka', 'staging']);
  delete deps.defaults.target;
  expect((await sweep(deps)).namespaces).toEqual([]);
  kubernetes.denied.add('list leases');
  expect(await refusal(sweep(deps))).toMatchObject({ code: 'INPUT_INVALID', retried: false });
});

test('whatever runs there are, it removes what ended runs left and touches nothing else', async () => {
  const answer = fc.constantFrom<Answer>('running', 'over', 'elsewhere', 'no answer');
  const someRun = fc.constantFrom('run-a', 'run-b', 'run-c', 'run-d');
  const place = fc.record({
    claim: fc.option(someRun),
    pod: fc.option(someRun),
    crash: fc.option(someRun),
    annotation: fc.option(someRun),
    topics: fc.uniqueArray(someRun),
    groups: fc.uniqueArray(someRun),
  });
  const runs = fc.dictionary(someRun, fc.record({ answer, expired: fc.boolean() }), {
    minKeys: 4,
    maxKeys: 4,
  });
  await fc.assert(
    fc.asyncProperty(runs, fc.array(place, { minLength: 1, maxLength: 3 }), async (all, places) => {
      kafkas.clear();
      const kubernetes = fakeKubernetes();
      const expires = (runId: string) => (all[runId]?.expired ? past : later);
      const mayGo = new Map<string, string>();
      for (const [index, { claim, pod, crash, annotation, topics, groups }] of places.entries()) {
        const namespace = `ns-${index}`;
        const notes = annotation && {
          'litmuschaos.io/chaos': 'true',
          'leaderfall.io/former-chaos-annotation': 'null',
          ...runAnnotations(runOf(annotation), expires(annotation)),
        };
        const kafka = await makeKafka(kubernetes, namespace, notes ?? {});
        if (annotation) mayGo.set(`StatefulSet ${namespace}/kafka-kafka`, annotation);
        const make = async (kind: string, where: string, name: string, runId: string, more = {}) => {
          await kubernetes.create(marked(kind, where, name, runId, expires(runId), more));
          mayGo.set(`${kind} ${where}/${name}`, runId);
        };
        if (claim) {
          const spec = { holderIdentity: ownerOf(runOf(claim)) };
          await make('Lease', namespace, 'leaderfall-kafka-kafka', claim, { spec });
        }
        if (pod) await make('Pod', namespace, 'kafka-liveness', pod);
        if (crash) await make('Pod', 'leaderfall-crash', `crash-${index}`, crash);
        for (const runId of topics) kafka.topics.add(topicName({ runId }, expires(runId)));
        for (const runId of groups) kafka.consumerGroups.set(`${topicName({ runId }, expires(runId))}-0`, 0);
        for (const runId of topics) mayGo.set(`${namespace} ${topicName({ runId }, expires(runId))}`, runId);
        for (const runId of groups)
          mayGo.set(`${namespace} ${topicName({ runId }, expires(runId))}-0`, runId);
      }
      const before = everything(kubernetes);
      const answers = Object.fromEntries(Object.entries(all).map(([runId, one]) => [runId, one.answer]));
      const named = places.map((_, index) => `ns-${index}`);
      await sweep(depsOf(kubernetes, answers), { namespaces: named });

      const ended = (runId: string) =>
        answers[runId] === 'over' || (answers[runId] !== 'running' && all[runId]?.expired === true);
      const after = everything(kubernetes);
      for (const [key, text] of before) {
        const runId = mayGo.get(key);
        if (runId === undefined || !ended(runId)) expect(after.get(key), key).toBe(text);
        else if (key.startsWith('StatefulSet')) expect(after.get(key), key).not.toContain('leaderfall.io');
        else expect(after.has(key), key).toBe(false);
      }
      expect([...after.keys()].filter((key) => !before.has(key))).toEqual([]);
    }),
    { numRuns: 150 },
  );
});
