import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { makeProvision } from '../../src/activities/provision.ts';
import { problem } from '../../src/experiment/errors.ts';
import type { ExperimentInput } from '../../src/experiment/spec.ts';
import {
  attempt,
  balance,
  fakeKafka,
  type Look,
  refusal,
  type Scene,
  scene,
  settle,
} from './step-support.ts';

vi.mock('node:timers/promises', () => ({
  setTimeout: async (ms: number) => vi.setSystemTime(Date.now() + ms),
}));

const start = Date.parse('2026-01-01T00:00:00Z');

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: start });
});

afterEach(() => {
  vi.useRealTimers();
});

async function withBrokers(
  looks: (Look | 'silent')[],
  settings: Record<string, string> = {},
  input: ExperimentInput = {},
): Promise<Scene> {
  const at = await scene(fakeKafka(...looks), input);
  at.kafka.brokerConfig = async () => settings;
  return at;
}

function provision(at: Scene) {
  return attempt(makeProvision(at.deps), at.context.resolved);
}

const two: Look = { brokers: [1002, 1000] };

test('takes the Kafka that is there, with what Kafka itself says of it, and touches nothing', async () => {
  const at = await withBrokers([{ brokers: [1002, 1000, 1001] }], {
    'delete.topic.enable': 'true',
    'replica.lag.time.max.ms': '10000',
    'ssl.keystore.password': 'secret',
  });
  expect(await provision(at)).toEqual({
    provisioner: 'existing',
    statefulSet: at.context.kafka.statefulSet,
    brokerIds: [1000, 1001, 1002],
    gracePeriodSeconds: 30,
    settings: { 'delete.topic.enable': 'true', 'replica.lag.time.max.ms': '10000' },
    made: [],
    packages: [],
    reach: 'direct',
    notes: [],
  });
  expect(at.kubernetes.writes).toEqual([]);
  expect(Date.now()).toBe(start);
});

test('the image of the broker’s container is told, not that of another one beside it', async () => {
  const at = await withBrokers([{}]);
  for (const ordinal of [0, 1, 2]) {
    const pod = at.kubernetes.objects.get(`Pod kafka/kafka-kafka-${ordinal}`);
    const broker = { name: 'kafka', image: 'kafka:2.5.1', ports: [{ containerPort: 9092 }] };
    if (pod) pod.spec = { ...(pod.spec as object), containers: [{ name: 'exporter', image: 'e' }, broker] };
  }
  expect(await provision(at)).toMatchObject({ images: { broker: 'kafka:2.5.1' } });
});

test('a broker that Kafka lists and that cannot be reached is named', async () => {
  const at = await withBrokers([{}]);
  at.kafka.metadataOfEach = async () => new Map();
  expect(await refusal(provision(at))).toMatchObject({
    code: 'KAFKA_UNREACHABLE',
    message: expect.stringContaining('broker 1000, 1001, 1002'),
    retried: true,
  });
});

test('waits until Kafka lists as many brokers as there are to be', async () => {
  const at = await withBrokers(['silent', { brokers: [] }, two, two, {}]);
  expect(await provision(at)).toMatchObject({ brokerIds: [1000, 1001, 1002] });
  // And once more to ask each of them, and to find their pods.
  expect(at.kafka.calls.filter((call) => call === 'metadata')).toHaveLength(7);
});

test('a broker that stays away for a minute is the guard’s to judge', async () => {
  const at = await withBrokers([two]);
  expect(await provision(at)).toMatchObject({ brokerIds: [1000, 1002] });
  expect(Date.now() - start).toBeGreaterThan(59_000);
});

test('brokers that never answer are asked again by the next attempt', async () => {
  const at = await withBrokers(['silent']);
  expect(await refusal(provision(at))).toMatchObject({
    step: 'provision',
    message: expect.stringContaining('no broker answers'),
    retried: true,
  });
});

test('more replicas than brokers are impossible', async () => {
  const at = await withBrokers([{}], {}, { liveness: { replicationFactor: 4 } });
  expect(await refusal(provision(at))).toMatchObject({ code: 'REPLICATION_IMPOSSIBLE', retried: false });
});

test('a target that is none of the brokers, and brokers without pods, are found once the Kafka is whole', async () => {
  const target = { broker: 1 };
  expect(await refusal(provision(await withBrokers([two, {}], {}, { target })))).toMatchObject({
    code: 'TARGET_NOT_FOUND',
    evidence: ['target.broker', 'its brokers: 1000, 1001, 1002'],
    retried: false,
  });
  expect(await provision(await withBrokers([two], {}, { target: { broker: 1001 } }))).toMatchObject({
    brokerIds: [1000, 1002],
  });
  const at = await withBrokers([{}]);
  balance(at);
  expect(await refusal(provision(at))).toMatchObject({ code: 'BROKER_UNMAPPED', retried: true });
  settle(at);
  expect(await refusal(provision(at))).toMatchObject({ code: 'BROKER_UNMAPPED', retried: false });
});

test('a StatefulSet that has gone since is an Error that names it', async () => {
  const at = await withBrokers([{}]);
  at.kubernetes.objects.delete('StatefulSet kafka/kafka-kafka');
  expect(await refusal(provision(at))).toMatchObject({
    code: 'TARGET_NOT_FOUND',
    step: 'provision',
    retried: false,
  });
});

test('brokers that refuse topic deletion are said to, for the topic will stay', async () => {
  const at = await withBrokers([{}], { 'delete.topic.enable': 'false' });
  const { notes } = await provision(at);
  expect(notes).toEqual([expect.stringContaining('delete.topic.enable=false')]);
});

test('settings that may not be read are not observed', async () => {
  const at = await withBrokers([{}]);
  at.kafka.brokerConfig = async () => {
    throw problem('KAFKA_UNREACHABLE', 'not authorized');
  };
  expect(await provision(at)).toMatchObject({ settings: {}, notes: [] });
});
