import { expect, test } from 'vitest';
import { readSettings } from '../../src/liveness/environment.ts';
import type { LivenessEnvironment } from '../../src/liveness/protocol.ts';

const environment = {
  LIVENESS_ROLE: 'producer',
  LIVENESS_BOOTSTRAP: 'kafka-0:9092,kafka-1:9092',
  LIVENESS_TOPIC: 'leaderfall-0000beef',
  LIVENESS_RUN_ID: '0000beef',
  LIVENESS_RATE: '100',
  LIVENESS_REPLICATION_FACTOR: '3',
  LIVENESS_MIN_INSYNC_REPLICAS: '2',
  LIVENESS_CONSUMER_TIMEOUT_MS: '30000',
} satisfies Partial<LivenessEnvironment>;

test('settings are read from the environment, numbers as numbers', () => {
  expect(readSettings(environment)).toMatchObject({
    role: 'producer',
    bootstrap: ['kafka-0:9092', 'kafka-1:9092'],
    topic: 'leaderfall-0000beef',
    runId: '0000beef',
    rate: 100,
    replicationFactor: 3,
    minInsyncReplicas: 2,
    consumerTimeoutMs: 30_000,
    terminationLog: '/dev/termination-log',
  });
  expect(readSettings(environment).port).toBeUndefined();
  const own = { ...environment, LIVENESS_PORT: '9000', LIVENESS_TERMINATION_LOG: '/tmp/end' };
  expect(readSettings(own)).toMatchObject({ port: 9_000, terminationLog: '/tmp/end' });
});

test('an address may come with the id of its broker, which need not advertise it', () => {
  const LIVENESS_BOOTSTRAP = '1000@kafka-0:9092,kafka-1:9092';
  expect(readSettings({ ...environment, LIVENESS_BOOTSTRAP })).toMatchObject({
    bootstrap: ['kafka-0:9092', 'kafka-1:9092'],
    brokerIds: { 'kafka-0:9092': 1000 },
  });
});

test.each(Object.keys(environment))('%s that is missing is named', (name) => {
  expect(() => readSettings({ ...environment, [name]: undefined })).toThrow(name);
});

test('every wrong variable is named at once', () => {
  const wrong = {
    LIVENESS_ROLE: 'spectator',
    LIVENESS_TOPIC: '',
    LIVENESS_RATE: '0',
    LIVENESS_REPLICATION_FACTOR: '1.5',
    LIVENESS_MIN_INSYNC_REPLICAS: 'two',
    LIVENESS_CONSUMER_TIMEOUT_MS: '-1',
  };
  for (const name of Object.keys(wrong))
    expect(() => readSettings({ ...environment, ...wrong })).toThrow(name);
});
