import { expect, test } from 'vitest';
import { resolveExperiment } from '../../src/experiment/resolve.ts';
import { type ExperimentInput, experimentSchema } from '../../src/experiment/spec.ts';
import type { KubernetesObject } from '../../src/kubernetes/port.ts';
import { chooseProvisioner } from '../../src/provisioners/choose.ts';
import { existingProvisioner } from '../../src/provisioners/existing.ts';
import { type FakeKubernetes, fakeKubernetes } from '../support/fake-kubernetes.ts';
import { ended } from './kudo-support.ts';

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

const check = (kubernetes: FakeKubernetes, input: ExperimentInput = {}) =>
  existingProvisioner.check({
    kubernetes,
    experiment: experiment(input),
    run: { temporalNamespace: '', workflowId: '', runId: '' },
    expires: 0,
    signal: new AbortController().signal,
    standing: ended,
  });

test('an existing Kafka needs its service, whose right name is said', async () => {
  const kubernetes = await withStatefulSets('kafka-kafka');
  await expect(check(kubernetes, { cluster: { service: 'kafka' } })).rejects.toMatchObject({
    problem: { code: 'TARGET_NOT_FOUND', next: expect.stringContaining('kafka-svc') },
  });
  expect(kubernetes.writes.filter((write) => !write.includes('StatefulSet'))).toEqual([]);
});

test('a service that is not named is the StatefulSet’s own', async () => {
  const kubernetes = await withStatefulSets('cp-kafka');
  await expect(check(kubernetes)).rejects.toThrow('there is no service kafka-svc');
  await kubernetes.create({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'kafka-svc', namespace: 'kafka' },
  });
  expect(await check(kubernetes)).toMatchObject({ statefulSetName: 'cp-kafka', isThere: true });
});

test('a service that is not headless gives pods no names, unless it is the StatefulSet’s own', async () => {
  const kubernetes = await withStatefulSets('cp-kafka');
  for (const [name, clusterIP] of [
    ['kafka-svc', '10.0.0.2'],
    ['kafka', '10.0.0.1'],
    ['kafka-too', 'None'],
  ] as const)
    await kubernetes.create({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace: 'kafka' },
      spec: { clusterIP },
    });
  await expect(check(kubernetes, { cluster: { service: 'kafka' } })).rejects.toMatchObject({
    problem: {
      code: 'TARGET_NOT_FOUND',
      evidence: ['cluster.service', 'its clusterIP: 10.0.0.1'],
      next: expect.stringContaining('kafka-svc'),
    },
  });
  for (const service of ['kafka-too', 'kafka-svc'])
    expect(await check(kubernetes, { cluster: { service } })).toMatchObject({ statefulSetName: 'cp-kafka' });
  expect(await check(kubernetes)).toMatchObject({ statefulSetName: 'cp-kafka' });
});

test('a selector that is more than equalities is understood by the API server, by the pods that it selects', async () => {
  const kubernetes = await withStatefulSets('a', 'b');
  const { list } = kubernetes;
  kubernetes.list = async <T extends KubernetesObject>(
    kind: Parameters<typeof list>[0],
    selector?: Parameters<typeof list>[1],
  ) => {
    if (selector?.label !== 'app in (kafka),tier!=test') return await list<T>(kind, selector);
    if (kind.kind !== 'Pod') return { items: [], resourceVersion: '1' };
    const { uid } = kubernetes.objects.get('StatefulSet kafka/b')?.metadata ?? {};
    return {
      items: [{ metadata: { name: 'b-0', ownerReferences: [{ uid }] } }] as never[],
      resourceVersion: '1',
    };
  };
  const selected = experiment({ cluster: { label: 'app in (kafka),tier!=test' } });
  expect(await chooseProvisioner({ kubernetes, experiment: selected })).toMatchObject({
    statefulSet: { name: 'b' },
  });
});
