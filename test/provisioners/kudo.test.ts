import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { LeaderfallError } from '../../src/experiment/errors.ts';
import { resolveExperiment } from '../../src/experiment/resolve.ts';
import {
  type ExperimentInput,
  experimentSchema,
  type ResolvedExperiment,
} from '../../src/experiment/spec.ts';
import { kudoProvisioner } from '../../src/provisioners/kudo/kudo.ts';
import { fakeKubernetes } from '../support/fake-kubernetes.ts';
import { another, ended, instance, part, run } from './kudo-support.ts';

const operators = fileURLToPath(new URL('../../testbed/operators', import.meta.url));

function experimentOf(
  parameters: Record<string, string>,
  liveness: ExperimentInput['liveness'],
): ResolvedExperiment {
  const provision = {
    mode: 'kudo',
    zookeeper: { package: `${operators}/zookeeper` },
    kafka: { package: `${operators}/kafka`, parameters },
  };
  const parsed = experimentSchema.parse({ cluster: { namespace: 'kafka' }, provision, liveness });
  return resolveExperiment(parsed, { image: 'i' });
}

async function check(
  parameters: Record<string, string>,
  liveness: ExperimentInput['liveness'] = {},
  kubernetes = fakeKubernetes(),
) {
  const experiment = experimentOf(parameters, liveness);
  const signal = new AbortController().signal;
  try {
    return await kudoProvisioner.check({ kubernetes, experiment, run, expires: 0, signal, standing: ended });
  } catch (error) {
    if (error instanceof LeaderfallError) return error.problem;
    throw error;
  } finally {
    expect(kubernetes.writes).toEqual([]);
  }
}

test('the packages are named, and the StatefulSet that they will make', async () => {
  expect(await check({})).toEqual({
    statefulSetName: 'kafka-kafka',
    isThere: false,
    needsOptIn: false,
    makes: ['zookeeper-instance', 'kafka'],
    pods: ['kafka-kafka-0', 'kafka-kafka-1', 'kafka-kafka-2'],
    notes: [
      expect.stringMatching(/^KUDO package zookeeper .* as Instance zookeeper-instance$/),
      expect.stringMatching(/^KUDO package kafka .* as Instance kafka$/),
    ],
  });
});

test('what is there already is told, and claims of a former Instance refuse it beforehand', async () => {
  const healthy = fakeKubernetes();
  for (const name of ['zookeeper-instance', 'kafka']) await instance(healthy, name, 'COMPLETE');
  expect(await check({}, {}, healthy)).toMatchObject({
    isThere: true,
    needsOptIn: true,
    makes: [],
    notes: expect.arrayContaining([expect.stringContaining('Instance kafka was there and healthy')]),
  });
  await healthy.create({
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'kafka-kafka', namespace: 'kafka' },
    spec: { replicas: 4 },
  });
  healthy.writes.length = 0;
  // As many as there are, not as the package would make.
  expect(await check({}, {}, healthy)).toMatchObject({ pods: expect.arrayContaining(['kafka-kafka-3']) });
  const left = fakeKubernetes();
  for (const name of ['zookeeper-instance', 'kafka']) await instance(left, name, 'COMPLETE', another);
  expect(await check({}, {}, left)).toMatchObject({ isThere: true, needsOptIn: false });
  const former = fakeKubernetes();
  await part(former, 'PersistentVolumeClaim', 'data-0', 'zookeeper-instance');
  expect(await check({}, {}, former)).toMatchObject({ code: 'VOLUMES_REMAIN' });
});

test('a package that needs a later Kubernetes is refused beforehand, as KUDO’s own client does', async () => {
  const old = fakeKubernetes();
  old.minor = 15;
  expect(await check({}, {}, old)).toMatchObject({
    code: 'PACKAGE_INVALID',
    message: 'KUDO package zookeeper needs Kubernetes 1.16.0 or later',
    evidence: expect.arrayContaining(['the API server is v1.15.0']),
  });
  old.minor = 16;
  expect(await check({}, {}, old)).toMatchObject({ statefulSetName: 'kafka-kafka' });
});

test('more replicas than the package will make brokers are refused beforehand, by default and by parameter', async () => {
  expect(await check({}, { replicationFactor: 4 })).toMatchObject({
    code: 'REPLICATION_IMPOSSIBLE',
    evidence: ['liveness.replicationFactor', 'BROKER_COUNT of package kafka: 3'],
  });
  expect(await check({ BROKER_COUNT: '2' })).toMatchObject({ code: 'REPLICATION_IMPOSSIBLE' });
  expect(await check({ BROKER_COUNT: '4' }, { replicationFactor: 4 })).toMatchObject({
    statefulSetName: 'kafka-kafka',
  });
});

test('of a Kafka that is there its StatefulSet says how many brokers it has, not the package', async () => {
  const there = fakeKubernetes();
  for (const name of ['zookeeper-instance', 'kafka']) await instance(there, name, 'COMPLETE');
  await there.create({
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'kafka-kafka', namespace: 'kafka' },
    spec: { replicas: 5 },
  });
  there.writes.length = 0;
  expect(await check({}, { replicationFactor: 5 }, there)).toMatchObject({ isThere: true });
  expect(await check({ BROKER_COUNT: '7' }, { replicationFactor: 6 }, there)).toMatchObject({
    code: 'REPLICATION_IMPOSSIBLE',
    evidence: ['liveness.replicationFactor', 'replicas of StatefulSet kafka-kafka, which is there: 5'],
  });
});
