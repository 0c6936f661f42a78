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
import { run } from './kudo-support.ts';

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

async function check(parameters: Record<string, string>, liveness: ExperimentInput['liveness'] = {}) {
  const kubernetes = fakeKubernetes();
  const experiment = experimentOf(parameters, liveness);
  const signal = new AbortController().signal;
  try {
    return await kudoProvisioner.check({ kubernetes, experiment, run, expires: 0, signal });
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
    notes: [
      expect.stringMatching(/^KUDO package zookeeper .* as Instance zookeeper-instance$/),
      expect.stringMatching(/^KUDO package kafka .* as Instance kafka$/),
    ],
  });
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
