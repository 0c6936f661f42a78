import { expect, test } from 'vitest';
import { resolveExperiment } from '../../src/experiment/resolve.ts';
import { type ExperimentInput, experimentSchema } from '../../src/experiment/spec.ts';
import { chooseProvisioner } from '../../src/provisioners/choose.ts';
import { existingProvisioner } from '../../src/provisioners/existing.ts';
import { fakeKubernetes } from '../support/fake-kubernetes.ts';

function experiment(input: ExperimentInput = {}) {
  const parsed = experimentSchema.parse({ ...input, cluster: { namespace: 'kafka', ...input.cluster } });
  return resolveExperiment(parsed, { image: 'i' });
}

const packages = {
  zookeeper: { instance: 'zookeeper-instance', package: '/zookeeper' },
  kafka: { instance: 'kafka', package: '/kafka' },
};

async function withStatefulSets(...names: string[]) {
  const kubernetes = fakeKubernetes();
  for (const name of names) {
    await kubernetes.create({
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name, namespace: 'kafka' },
      spec: { serviceName: 'kafka-svc', template: { metadata: { labels: { app: 'kafka' } } } },
    });
  }
  return kubernetes;
}

test('exactly one matching StatefulSet is used as it is, by the labels of its pods too', async () => {
  const kubernetes = await withStatefulSets('kafka-kafka');
  const chosen = await chooseProvisioner({ kubernetes, experiment: experiment({ provision: packages }) });
  expect(chosen).toMatchObject({ provisioner: { name: 'existing' }, statefulSet: { name: 'kafka-kafka' } });
});

test('several are an error that names them, unless one is named', async () => {
  const kubernetes = await withStatefulSets('a', 'b');
  await expect(chooseProvisioner({ kubernetes, experiment: experiment() })).rejects.toMatchObject({
    problem: { code: 'TARGET_AMBIGUOUS', evidence: ['a', 'b'] },
  });
  const named = experiment({ cluster: { namespace: 'kafka', statefulSet: 'b' } });
  expect(await chooseProvisioner({ kubernetes, experiment: named })).toMatchObject({
    statefulSet: { name: 'b' },
  });
});

test('none means KUDO where both packages are known, else an error', async () => {
  const kubernetes = fakeKubernetes();
  const chosen = await chooseProvisioner({ kubernetes, experiment: experiment({ provision: packages }) });
  expect(chosen.provisioner.name).toBe('kudo');
  await expect(chooseProvisioner({ kubernetes, experiment: experiment() })).rejects.toMatchObject({
    problem: { code: 'TARGET_NOT_FOUND' },
  });
});

test('who wants an existing one is never given another, and hears how to find it', async () => {
  const existing = experiment({ provision: { ...packages, mode: 'existing' } });
  const found = await withStatefulSets('kafka-kafka');
  expect(await chooseProvisioner({ kubernetes: found, experiment: existing })).toMatchObject({
    statefulSet: { name: 'kafka-kafka' },
  });
  await expect(
    chooseProvisioner({ kubernetes: fakeKubernetes(), experiment: existing }),
  ).rejects.toMatchObject({
    problem: { code: 'TARGET_NOT_FOUND', next: 'kubectl -n kafka get statefulsets --show-labels' },
  });
});

test('an existing Kafka needs its service, whose right name is said', async () => {
  const kubernetes = await withStatefulSets('kafka-kafka');
  const context = {
    kubernetes,
    experiment: experiment(),
    run: { temporalNamespace: '', workflowId: '', runId: '' },
    expires: 0,
    signal: new AbortController().signal,
  };
  await expect(existingProvisioner.check(context)).rejects.toMatchObject({
    problem: { code: 'TARGET_NOT_FOUND', next: expect.stringContaining('kafka-svc') },
  });
  expect(kubernetes.writes.filter((write) => !write.includes('StatefulSet'))).toEqual([]);
});
