import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { bootstrapOf, dropKafkas, withKafka } from '../../src/activities/brokers.ts';
import type { Dial } from '../../src/kafka/port.ts';
import { type StatefulSet, statefulSetRef } from '../../src/kubernetes/workloads.ts';
import { fakeKafka, type Scene, scene } from './step-support.ts';

/** A scene that counts how often its Kafka was reached, and left. */
async function counted(): Promise<{ at: Scene; count: { reached: number; closed: number } }> {
  const at = await scene(fakeKafka());
  const count = { reached: 0, closed: 0 };
  at.kafka.close = async () => {
    count.closed++;
  };
  at.deps.connectKafka = () => {
    count.reached++;
    return at.kafka;
  };
  return { at, count };
}

function use<T>({ deps, context }: Scene, work: () => Promise<T>): Promise<T> {
  return withKafka(deps, context.resolved.experiment, context.kafka.statefulSet, work);
}

test('a Kafka is reached once for several steps, and anew after one that failed with it', async () => {
  const { at, count } = await counted();
  await use(at, async () => {});
  await use(at, async () => {});
  expect(count).toEqual({ reached: 1, closed: 0 });
  await expect(use(at, () => Promise.reject(new Error('no answer')))).rejects.toThrow('no answer');
  expect(count).toEqual({ reached: 1, closed: 1 });
  await use(at, async () => {});
  expect(count).toEqual({ reached: 2, closed: 1 });
  await dropKafkas(at.deps);
});

test('the addresses of all pods are those of the StatefulSet’s own service, from its first ordinal on', async () => {
  const { context } = await scene(fakeKafka());
  const found: StatefulSet = {
    metadata: { name: 'cp-kafka', uid: 'u' },
    spec: { replicas: 2, serviceName: 'cp-kafka-headless', ordinals: { start: 1 } },
  };
  const { experiment } = context.resolved;
  expect(bootstrapOf(experiment, statefulSetRef(found, 'kafka'))).toEqual([
    'cp-kafka-1.cp-kafka-headless.kafka.svc.cluster.local:9092',
    'cp-kafka-2.cp-kafka-headless.kafka.svc.cluster.local:9092',
  ]);
  const named = { ...experiment, cluster: { ...experiment.cluster, service: 'other' } };
  expect(bootstrapOf(named, statefulSetRef(found, 'kafka'))[0]).toContain('cp-kafka-1.other.kafka.svc');
});

test('a command that has looked leaves nothing open that would keep it from ending', async () => {
  const { at, count } = await counted();
  await use(at, async () => {});
  await dropKafkas(at.deps);
  expect(count).toEqual({ reached: 1, closed: 1 });
  await dropKafkas(at.deps);
  expect(count.closed).toBe(1);
});

test('what a proxy advertises is the pod of the rule, at the client port that the pod has, by port-forward', async () => {
  const at = await scene(fakeKafka());
  const { metadata } = at.kafka;
  at.kafka.metadata = async (options) => {
    const look = await metadata(options);
    // One name for all of them, as behind a load balancer, and a port for each.
    return {
      ...look,
      brokers: look.brokers.map(({ id }) => ({ id, host: 'lb.example', port: 18_000 + id })),
    };
  };
  const forwarded: object[] = [];
  at.kubernetes.portForward = async (pod) => {
    forwarded.push(pod);
    return new Socket();
  };
  const dials: Dial[] = [];
  at.deps.connectKafka = ({ dial }) => {
    if (dial) dials.push(dial);
    return at.kafka;
  };
  const { experiment } = at.context.resolved;
  experiment.reach = 'port-forward';
  experiment.cluster.brokerPod = 'kafka-kafka-{id-1000}';
  await use(at, async () => {
    const [dial] = dials;
    await dial?.('lb.example', 19_002);
    await dial?.('kafka-kafka-0.kafka-svc.kafka', 9_093);
    await expect(dial?.('lb.example', 1)).rejects.toThrow('no pod stands behind');
    // A pod that is away is not asked for of brokers that are reached by such names themselves.
    const asked = at.kafka.calls.length;
    at.kubernetes.objects.delete('Pod kafka/kafka-kafka-1');
    const away = dial?.('kafka-kafka-1.kafka-svc.kafka.svc.cluster.local', 9_092);
    await expect(away).rejects.toThrow('no pod stands behind');
    expect(at.kafka.calls).toHaveLength(asked);
  });
  expect(forwarded).toEqual([
    { namespace: 'kafka', name: 'kafka-kafka-2', port: 9_092 },
    { namespace: 'kafka', name: 'kafka-kafka-0', port: 9_093 },
  ]);
  await dropKafkas(at.deps);
});
