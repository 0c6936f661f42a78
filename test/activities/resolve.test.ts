import { expect, test } from 'vitest';
import { makeResolve } from '../../src/activities/resolve.ts';
import { problem } from '../../src/experiment/errors.ts';
import { instance, marks, packageFolder } from '../provisioners/kudo-support.ts';
import { temporalServer } from '../support/temporal-server.ts';
import { attempt, fakeKafka, type Look, refusal, run, type Scene, scene } from './step-support.ts';

const lease = 'Lease kafka/leaderfall-kafka-kafka';
const valid = { cluster: { namespace: 'kafka' }, reach: 'direct' };

function resolve(at: Scene, input: unknown = valid) {
  return attempt<unknown, unknown>(makeResolve(at.deps), input);
}

test('finds the target, fills the defaults and takes the claim, and touches nothing else', async () => {
  const at = await scene(fakeKafka());
  expect(await resolve(at)).toMatchObject({
    run,
    provisioner: 'existing',
    statefulSetName: 'kafka-kafka',
    experiment: { schedule: { durationSeconds: 60, minKills: 3 }, liveness: { image: 'i' } },
    versions: { leaderfall: '0' },
    searchAttributes: ['LeaderfallCluster'],
  });
  expect(at.kubernetes.writes).toEqual([`create ${lease}`]);
  // Whether each broker can be reached.
  expect(at.kafka.calls).toContain('metadataOfEach');
  expect(at.kubernetes.objects.get(lease)?.spec).toMatchObject({
    holderIdentity: `default/w/${run.runId}`,
  });
});

test('a pod of the StatefulSet may be the target, one of a Kafka that is yet to be made as well', async () => {
  const target = { pod: 'kafka-kafka-2' };
  expect(await resolve(await scene(fakeKafka()), { ...valid, target })).toMatchObject({
    experiment: { target },
  });
  expect(await resolve(await scene(fakeKafka()), { ...byKudo, target })).toMatchObject({
    provisioner: 'kudo',
  });
  const at = await scene(fakeKafka());
  const beyond = { ...byKudo, target: { pod: 'kafka-kafka-3' } };
  expect(await refusal(resolve(at, beyond))).toMatchObject({ code: 'TARGET_NOT_FOUND' });
  expect(at.kubernetes.writes).toEqual([]);
});

test('a second attempt finds its own claim', async () => {
  const at = await scene(fakeKafka());
  await resolve(at);
  await resolve(at);
  expect(at.kubernetes.writes).toEqual([`create ${lease}`]);
});

const refusals: [
  string,
  { code: string; retried?: boolean; message?: string; evidence?: unknown },
  (at: Scene) => unknown,
][] = [
  [
    'a field that does not exist',
    { code: 'INPUT_INVALID', evidence: [expect.stringContaining('clutser')] },
    () => ({ ...valid, clutser: {} }),
  ],
  ['no namespace, and the worker has none', { code: 'INPUT_INVALID' }, () => ({})],
  [
    'a single replica, which no kill leaves alive',
    { code: 'INPUT_INVALID', evidence: [expect.stringContaining('guard.allow: single-replica')] },
    () => ({ ...valid, liveness: { replicationFactor: 1 } }),
  ],
  [
    'as many replicas needed in sync as there are',
    { code: 'INPUT_INVALID', evidence: [expect.stringContaining('guard.allow: min-isr-equals-rf')] },
    () => ({ ...valid, liveness: { minInsyncReplicas: 3 } }),
  ],
  ...([300_000, -300_000] as const).map((aheadMs): (typeof refusals)[number] => [
    `a clock that is off by ${aheadMs / 1_000} s`,
    { code: 'CLOCK_SKEWED', evidence: [expect.stringMatching(/^\S+ here, \S+ there$/)] },
    (at) => {
      at.kubernetes.aheadMs = aheadMs;
      return valid;
    },
  ]),
  [
    'a namespace that the worker’s settings protect',
    { code: 'TARGET_PROTECTED', evidence: ['LEADERFALL_PROTECTED: kaf*'] },
    (at) => {
      at.deps.policy = { protectedTargets: ['kaf*'] };
      return valid;
    },
  ],
  [
    'a StatefulSet that the worker’s settings protect',
    { code: 'TARGET_PROTECTED', evidence: ['LEADERFALL_PROTECTED: kafka/kafka-kafka'] },
    (at) => {
      at.deps.policy = { protectedTargets: ['kafka/kafka-kafka'] };
      return valid;
    },
  ],
  [
    'a missing right, named once',
    {
      code: 'PERMISSION_MISSING',
      evidence: ['delete pods in namespace kafka'],
    },
    (at) => {
      at.kubernetes.denied.add('delete pods');
    },
  ],
  [
    'missing rights of runs and of their provisioner, all at once',
    {
      code: 'PERMISSION_MISSING',
      evidence: [
        'create pods in namespace kafka',
        'create pods/proxy in namespace kafka',
        'create instances.kudo.dev in namespace kafka',
      ],
    },
    (at) => {
      at.kubernetes.denied.add('create pods').add('create instances');
      return { ...valid, provision: { mode: 'kudo' } };
    },
  ],
  [
    'a privileged fault that only the experiment allows',
    { code: 'FAULT_NOT_ALLOWED', evidence: [expect.stringContaining('LEADERFALL_ALLOW_FAULTS')] },
    () => ({ ...valid, fault: { kind: 'crash', privileged: true } }),
  ],
  [
    'a privileged fault without its own rights',
    {
      code: 'PERMISSION_MISSING',
      evidence: expect.arrayContaining(['get pods/proxy in namespace leaderfall-crash']),
    },
    (at) => {
      at.deps.defaults.allowedFaults = ['crash'];
      at.kubernetes.denied.add('get pods');
      return { ...valid, fault: { kind: 'crash', privileged: true } };
    },
  ],
  [
    'a privileged fault without the namespace for its pods',
    { code: 'NAMESPACE_NOT_FOUND', evidence: ['fault.kind: crash'] },
    (at) => {
      at.deps.defaults.allowedFaults = ['crash'];
      return { ...valid, fault: { kind: 'crash', privileged: true } };
    },
  ],
  [
    'a fault that there is not',
    { code: 'INPUT_INVALID', evidence: [expect.stringContaining('nearest is "crash"')] },
    () => ({ ...valid, fault: { kind: 'crush' } }),
  ],
  [
    'a namespace that does not exist',
    { code: 'NAMESPACE_NOT_FOUND' },
    () => ({ ...valid, cluster: { namespace: 'kafak' } }),
  ],
  [
    'no StatefulSet, and no packages to make one',
    { code: 'TARGET_NOT_FOUND' },
    (at) => {
      at.kubernetes.objects.delete('StatefulSet kafka/kafka-kafka');
    },
  ],
  [
    'a StatefulSet that has not opted in',
    { code: 'TARGET_NOT_ANNOTATED', evidence: ['annotation litmuschaos.io/chaos is not "true"'] },
    optOut,
  ],
  [
    'more replicas than brokers',
    { code: 'REPLICATION_IMPOSSIBLE' },
    () => ({ ...valid, liveness: { replicationFactor: 4 } }),
  ],
  [
    'a controller that a Kafka without ZooKeeper keeps to itself',
    { code: 'INPUT_INVALID', evidence: expect.arrayContaining(['target: controller']) },
    (at) => {
      at.kafka.brokerConfig = async () => ({ 'process.roles': 'broker,controller' });
      return { ...valid, target: 'controller' };
    },
  ],
  [
    'a pod that is none of the StatefulSet’s',
    {
      code: 'TARGET_NOT_FOUND',
      message: 'pod kafka-kafka-3 is none of StatefulSet kafka-kafka',
      evidence: ['target.pod', 'its pods: kafka-kafka-0, kafka-kafka-1, kafka-kafka-2'],
    },
    () => ({ ...valid, target: { pod: 'kafka-kafka-3' } }),
  ],
  [
    'a Kafka that does not answer',
    { code: 'KAFKA_UNREACHABLE', retried: true },
    (at) => {
      at.kafka.metadata = async () => {
        throw problem('KAFKA_UNREACHABLE', 'no broker answers', { retryable: true });
      };
    },
  ],
];

test.each(refusals)('refuses %s, with nothing made', async (_, expected, arrange) => {
  const at = await scene(fakeKafka());
  const input = arrange(at) ?? valid;
  expect(await refusal(resolve(at, input))).toMatchObject({ step: 'resolve', retried: false, ...expected });
  expect(at.kubernetes.writes).toEqual([]);
});

function optOut(at: Scene): void {
  const key = 'StatefulSet kafka/kafka-kafka';
  const found = at.kubernetes.objects.get(key);
  at.kubernetes.objects.set(key, { ...found, metadata: { ...found?.metadata, annotations: {} } });
}

const byKudo = {
  ...valid,
  provision: {
    mode: 'kudo',
    zookeeper: { package: packageFolder('zookeeper') },
    kafka: { package: packageFolder('kafka') },
  },
};

test('a Kafka that KUDO is asked for and that is there already must have opted in', async () => {
  const at = await scene(fakeKafka());
  for (const name of ['zookeeper-instance', 'kafka']) await instance(at.kubernetes, name, 'COMPLETE');
  const input = byKudo;
  expect(await resolve(at, input)).toMatchObject({ provisioner: 'kudo', statefulSetName: 'kafka-kafka' });
  at.kubernetes.writes.length = 0;
  optOut(at);
  expect(await refusal(resolve(at, input))).toMatchObject({ code: 'TARGET_NOT_ANNOTATED' });
  expect(at.kubernetes.writes).toEqual([]);
  expect(await resolve(at, { ...input, annotationCheck: false })).toMatchObject({ provisioner: 'kudo' });
});

test('a Kafka that is not well is left alone by a schedule, one that was made and kept too, but not by a person', async () => {
  const scheduled = (at: Scene, input: unknown) =>
    attempt<unknown, unknown>((request) => makeResolve(at.deps)(request, { scheduledBy: 'nightly' }), input);
  const looks: [Look, unknown][] = [
    [{ isr: [1002, 1000] }, expect.stringMatching(/^not all replicas in sync: t-0/)],
    [{ leader: -1, isr: [] }, expect.stringMatching(/^without a leader: t-0/)],
    [{ brokers: [1000, 1002] }, '2 of 3 brokers are in the metadata'],
  ];
  for (const [look, evidence] of looks)
    for (const input of [valid, byKudo]) {
      const at = await scene(fakeKafka(look));
      for (const name of ['zookeeper-instance', 'kafka']) await instance(at.kubernetes, name, 'COMPLETE');
      at.kubernetes.writes.length = 0;
      expect(await refusal(scheduled(at, input))).toMatchObject({
        code: 'CLUSTER_UNHEALTHY',
        evidence: expect.arrayContaining([evidence]),
      });
      // Not even claimed.
      expect(at.kubernetes.writes).toEqual([]);
    }
  const at = await scene(fakeKafka({ isr: [1002, 1000] }));
  expect(await resolve(at)).toMatchObject({ statefulSetName: 'kafka-kafka' });
  expect(await scheduled(await scene(fakeKafka()), valid)).toMatchObject({ statefulSetName: 'kafka-kafka' });
});

test('a Kafka that an ended run left half-made is no reason to pass: the schedule makes it anew', async () => {
  const at = await scene(fakeKafka('silent'));
  at.deps.runState = async (owner) => (owner === `default/w/${run.runId}` ? 'running' : 'over');
  await instance(at.kubernetes, 'zookeeper-instance', 'COMPLETE');
  await instance(at.kubernetes, 'kafka', 'IN_PROGRESS', marks);
  const scheduled = attempt<unknown, unknown>(
    (request) => makeResolve(at.deps)(request, { scheduledBy: 'nightly' }),
    byKudo,
  );
  expect(await scheduled).toMatchObject({ statefulSetName: 'kafka-kafka' });
});

test('a run that is refused is told which search attributes are there, to be found by its verdict', async () => {
  const at = await scene(fakeKafka());
  await expect(resolve(at, { clutser: {} })).rejects.toMatchObject({
    details: [{ code: 'INPUT_INVALID' }, ['LeaderfallCluster']],
  });
});

test('the rights of a fault are asked for only when the fault is', async () => {
  const at = await scene(fakeKafka());
  const namespaces = new Set<string | undefined>();
  const { missingPermissions } = at.kubernetes;
  at.kubernetes.missingPermissions = async (permissions) => {
    for (const { namespace } of permissions) namespaces.add(namespace);
    return await missingPermissions(permissions);
  };
  await resolve(at);
  expect(namespaces).not.toContain('leaderfall-crash');
});

test('annotationCheck: false takes a StatefulSet that has not opted in', async () => {
  const at = await scene(fakeKafka());
  optOut(at);
  expect(await resolve(at, { ...valid, annotationCheck: false })).toMatchObject({
    statefulSetName: 'kafka-kafka',
  });
});

test('a condition named in guard.allow is taken', async () => {
  const at = await scene(fakeKafka());
  const input = { ...valid, liveness: { replicationFactor: 1 }, guard: { allow: ['single-replica'] } };
  expect(await resolve(at, input)).toMatchObject({ experiment: { liveness: { minInsyncReplicas: 1 } } });
});

test('a cluster that a live run holds is refused, one that a closed run left is taken', async () => {
  const at = await scene(fakeKafka());
  await resolve(at);
  const next = (closed: boolean) =>
    attempt<unknown, unknown>(
      makeResolve({
        ...at.deps,
        runState: async (owner) => (closed && owner === `default/w/${run.runId}` ? 'over' : 'running'),
      }),
      valid,
      1,
      {
        ...run,
        runId: 'bbbbbbbb',
      },
    );
  expect(await refusal(next(false))).toMatchObject({
    code: 'CLUSTER_CLAIMED',
    message: expect.stringContaining(`default/w/${run.runId}`),
    retried: false,
  });
  await next(true);
  expect(at.kubernetes.objects.get(lease)?.spec).toMatchObject({ holderIdentity: 'default/w/bbbbbbbb' });
});

test('the claim of another Temporal’s run holds until it lapses, though a namespace of that name is here and does not know it', async () => {
  const at = await scene(fakeKafka());
  const ann = temporalServer('ann', { [run.runId]: 'running' });
  expect(await attempt<unknown, unknown>(makeResolve({ ...at.deps, ...ann }), valid)).toMatchObject({
    run: { ...run, temporalNamespaceId: 'ann' },
  });
  const next = (server: ReturnType<typeof temporalServer>) =>
    attempt<unknown, unknown>(makeResolve({ ...at.deps, ...server }), valid, 1, { ...run, runId: 'bobs' });
  expect(await refusal(next(temporalServer('bob', { bobs: 'running' })))).toMatchObject({
    code: 'CLUSTER_CLAIMED',
    evidence: expect.arrayContaining([expect.stringContaining('another Temporal server')]),
  });
  expect(await refusal(next(ann))).toMatchObject({ code: 'CLUSTER_CLAIMED' });
  const { spec } = at.kubernetes.objects.get(lease) as { spec: { renewTime: string } };
  spec.renewTime = '2026-01-01T00:00:00.000000Z';
  await next(temporalServer('bob', { bobs: 'running' }));
  expect(at.kubernetes.objects.get(lease)).toMatchObject({
    spec: { holderIdentity: 'default/w/bobs' },
    metadata: { annotations: { 'leaderfall.io/temporal-namespace-id': 'bob' } },
  });
});

test.each([
  ['of the same Temporal that is gone from it', 'ann'],
  ['of an earlier version, which wrote no id', undefined],
])('a claim of a run %s is taken', async (_, id) => {
  const at = await scene(fakeKafka());
  const first = { ...at.deps, temporalNamespaceId: async () => id };
  await attempt<unknown, unknown>(makeResolve(first), valid);
  const deps = { ...at.deps, ...temporalServer('ann', { next: 'running' }) };
  await attempt<unknown, unknown>(makeResolve(deps), valid, 1, { ...run, runId: 'next' });
  expect(at.kubernetes.objects.get(lease)?.spec).toMatchObject({ holderIdentity: 'default/w/next' });
});

test('a worker that stood still while it claimed, until the run was over, gives the claim up again', async () => {
  const at = await scene(fakeKafka());
  const { create } = at.kubernetes;
  let over = false;
  at.kubernetes.create = async (object) => {
    over = true;
    return await create(object);
  };
  at.deps.runState = async () => (over ? 'over' : 'running');
  expect(await refusal(resolve(at))).toMatchObject({ code: 'CLUSTER_CLAIMED', retried: false });
  expect(at.kubernetes.objects.has(lease)).toBe(false);
});

test('under a lock nothing begins: who, since when and why are said, and the cluster is not even asked', async () => {
  const at = await scene(fakeKafka());
  at.deps.readLock = async () => ({ actor: 'ann', reason: 'a release', since: '2026-01-31T12:00:00.000Z' });
  const said = await refusal(resolve(at, { clutser: {} }));
  expect(said).toMatchObject({
    code: 'LOCKED',
    retried: false,
    message: 'no run may begin: locked by ann since 2026-01-31T12:00:00.000Z: a release',
    next: expect.stringContaining('leaderfall unlock'),
  });
  expect([at.kubernetes.writes, at.kafka.calls]).toEqual([[], []]);
});
