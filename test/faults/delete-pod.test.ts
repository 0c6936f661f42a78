import { expect, test } from 'vitest';
import type { KillPlan } from '../../src/experiment/result.ts';
import { deletePod } from '../../src/faults/delete-pod.ts';
import { type FakeKubernetes, fakeKubernetes } from '../support/fake-kubernetes.ts';

const options = { gracePeriodSeconds: 30, attempt: 1, now: () => 1_000 };

async function withBroker(): Promise<{ kubernetes: FakeKubernetes; plan: KillPlan }> {
  const kubernetes = fakeKubernetes();
  await kubernetes.create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'kafka-2', namespace: 'kafka' },
  });
  const plan = {
    pod: 'kafka-2',
    namespace: 'kafka',
    podUid: kubernetes.objects.get('Pod kafka/kafka-2')?.metadata?.uid ?? '',
    deadline: 900,
    notAfter: 2_000,
  } as KillPlan;
  return { kubernetes, plan };
}

/** The StatefulSet's next pod of the same name. */
async function replaced(kubernetes: FakeKubernetes): Promise<void> {
  kubernetes.objects.delete('Pod kafka/kafka-2');
  await kubernetes.create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'kafka-2', namespace: 'kafka' },
  });
}

test('deletes exactly the pod of the plan', async () => {
  const { kubernetes, plan } = await withBroker();
  const act = await deletePod.act(kubernetes, plan, options);
  expect(act).toMatchObject({
    outcome: 'deleted',
    requestedAt: 1_000,
    gracePeriodSeconds: 30,
    repeated: false,
  });
  expect(kubernetes.objects.size).toBe(0);
});

test('after notAfter nothing is done', async () => {
  const { kubernetes, plan } = await withBroker();
  const act = await deletePod.act(kubernetes, plan, { ...options, now: () => 2_001 });
  expect(act).toMatchObject({ outcome: 'skipped', reason: expect.stringContaining('1101 ms late') });
  expect(kubernetes.objects.size).toBe(1);
});

test('a pod that somebody else has replaced is not killed: its successor is not ours', async () => {
  const { kubernetes, plan } = await withBroker();
  await replaced(kubernetes);
  expect(await deletePod.act(kubernetes, plan, options)).toMatchObject({ outcome: 'moved' });
  expect(kubernetes.objects.size).toBe(1);
});

test('a second attempt takes what the first has done for done, and kills no successor', async () => {
  const { kubernetes, plan } = await withBroker();
  expect(await deletePod.alreadyDone(kubernetes, plan)).toBeUndefined();
  await replaced(kubernetes);
  expect(await deletePod.alreadyDone(kubernetes, plan)).toMatchObject({ outcome: 'deleted', repeated: true });
  expect(await deletePod.act(kubernetes, plan, { ...options, attempt: 2 })).toMatchObject({
    outcome: 'deleted',
    repeated: true,
  });
  expect(kubernetes.objects.size).toBe(1);
});

test('a pod that is terminating already was deleted at its stamp less its grace', async () => {
  const { kubernetes, plan } = await withBroker();
  const pod = kubernetes.objects.get('Pod kafka/kafka-2');
  Object.assign(pod?.metadata ?? {}, {
    deletionTimestamp: '2026-01-01T00:05:00Z',
    deletionGracePeriodSeconds: 300,
  });
  expect(await deletePod.alreadyDone(kubernetes, plan)).toMatchObject({
    outcome: 'deleted',
    apiTime: '2026-01-01T00:00:00.000Z',
    gracePeriodSeconds: 300,
  });
});
