import { expect, test } from 'vitest';
import { makeResolve } from '../../src/activities/resolve.ts';
import { problem } from '../../src/experiment/errors.ts';
import { instance, packageFolder } from '../provisioners/kudo-support.ts';
import { attempt, balance, fakeKafka, refusal, type Scene, scene, settle } from './step-support.ts';

const existing = { cluster: { namespace: 'kafka' }, reach: 'direct' };

const byKudo = {
  ...existing,
  provision: {
    mode: 'kudo',
    zookeeper: { package: packageFolder('zookeeper') },
    kafka: { package: packageFolder('kafka') },
  },
};

/** A Kafka that is there, as an Instance of KUDO's as well. */
async function there(change: (at: Scene) => void = () => {}): Promise<Scene> {
  const at = await scene(fakeKafka());
  for (const name of ['zookeeper-instance', 'kafka']) await instance(at.kubernetes, name, 'COMPLETE');
  change(at);
  at.kubernetes.writes.length = 0;
  return at;
}

function resolve(at: Scene, input: unknown, origin?: { scheduledBy: string }) {
  return attempt<unknown, unknown>((request) => makeResolve(at.deps)(request, origin), input);
}

const ways = [
  ['existing', existing],
  ['kudo', byKudo],
] as const;

test.each(ways)('%s: a broker id that is none of the brokers’ is refused', async (_, way) => {
  const at = await there();
  expect(await refusal(resolve(at, { ...way, target: { broker: 1 } }))).toMatchObject({
    code: 'TARGET_NOT_FOUND',
    evidence: ['target.broker', 'its brokers: 1000, 1001, 1002'],
    retried: false,
  });
  expect(at.kubernetes.writes).toEqual([]);
  expect(await resolve(at, { ...way, target: { broker: 1002 } })).toMatchObject({
    statefulSetName: 'kafka-kafka',
  });
});

test.each(ways)(
  '%s: brokers that no rule ties to pods are refused before a run has waited',
  async (_, way) => {
    const at = await there((scene) => {
      settle(scene);
      balance(scene);
    });
    const unmapped = { code: 'BROKER_UNMAPPED', retried: false, next: expect.stringContaining('brokerPod') };
    for (const target of ['leader', { broker: 1001 }, { pod: 'kafka-kafka-1' }])
      expect(await refusal(resolve(at, { ...way, target }))).toMatchObject(unmapped);
    expect(at.kubernetes.writes).toEqual([]);
    const cluster = { namespace: 'kafka', brokerPod: 'kafka-kafka-{id-1000}' };
    expect(await resolve(at, { ...way, cluster })).toMatchObject({ statefulSetName: 'kafka-kafka' });
  },
);

test('only a broker that the target may turn out to be needs a pod', async () => {
  const at = await there((scene) => {
    const { metadata } = scene.kafka;
    scene.kafka.metadata = async (options) => {
      const look = await metadata(options);
      return { ...look, brokers: [...look.brokers, { id: 7, host: 'elsewhere.example.com', port: 9092 }] };
    };
    settle(scene);
  });
  for (const target of [{ broker: 1001 }, { pod: 'kafka-kafka-1' }])
    expect(await resolve(at, { ...existing, target })).toMatchObject({ statefulSetName: 'kafka-kafka' });
  expect(await refusal(resolve(at, existing))).toMatchObject({ code: 'BROKER_UNMAPPED' });
});

test('a broker whose pod is away for a moment is asked for again', async () => {
  const at = await there((scene) => {
    settle(scene);
    scene.kubernetes.objects.delete('Pod kafka/kafka-kafka-1');
  });
  expect(await refusal(resolve(at, existing))).toMatchObject({ code: 'BROKER_UNMAPPED', retried: true });
});

test('an Instance that is there has as many brokers as its StatefulSet, whatever the package would make', async () => {
  const at = await there(({ kubernetes }) => {
    const found = kubernetes.objects.get('StatefulSet kafka/kafka-kafka');
    if (found) found.spec = { ...(found.spec as object), replicas: 5 };
  });
  const replicated = (replicationFactor: number) => ({ ...byKudo, liveness: { replicationFactor } });
  expect(await resolve(at, replicated(5))).toMatchObject({ provisioner: 'kudo' });
  expect(await refusal(resolve(at, replicated(6)))).toMatchObject({ code: 'REPLICATION_IMPOSSIBLE' });
});

test('brokers of an Instance that do not answer are left to provision, which waits for them, but not by a schedule', async () => {
  const silent = ({ kafka }: Scene) => {
    kafka.metadata = async () => {
      throw problem('KAFKA_UNREACHABLE', 'no broker answered in 1000 ms', { retryable: true });
    };
  };
  expect(await resolve(await there(silent), byKudo)).toMatchObject({ provisioner: 'kudo' });
  for (const refused of [
    resolve(await there(silent), existing),
    resolve(await there(silent), byKudo, { scheduledBy: 'nightly' }),
  ])
    expect(await refusal(refused)).toMatchObject({ code: 'KAFKA_UNREACHABLE', retried: true });
});

test('nor are brokers waited for that let nobody in', async () => {
  const at = await there(({ kafka }) => {
    kafka.metadata = async () => {
      throw problem('AUTHENTICATION_FAILED', 'the brokers refuse the password');
    };
  });
  expect(await refusal(resolve(at, byKudo))).toMatchObject({ code: 'AUTHENTICATION_FAILED', retried: false });
});
