import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { KubernetesObject } from '../../src/kubernetes/port.ts';
import { keepInstalled, removeInstalled } from '../../src/provisioners/kudo/remove.ts';
import { type FakeKubernetes, fakeKubernetes } from '../support/fake-kubernetes.ts';
import { contextOf, instance, marks, part } from './kudo-support.ts';

vi.mock('node:timers/promises', () => ({
  setTimeout: async (ms: number) => vi.setSystemTime(Date.now() + ms),
}));

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
});

afterEach(() => {
  vi.useRealTimers();
});

const foreign = { labels: { 'leaderfall.io/run-id': 'another' } };

/** A KUDO package's objects with these marks. */
async function operator(kubernetes: FakeKubernetes, name: string, metadata: object): Promise<void> {
  const make = (kind: string, own: string, spec: object) =>
    kubernetes.create({ kind, metadata: { name: own, namespace: 'kafka', ...metadata }, spec });
  await make('Operator', name, {});
  await make('OperatorVersion', `${name}-1.0.0`, { operator: { name } });
}

/** What a run installed: Kafka and ZooKeeper, each with a pod and a claim. */
async function installed(): Promise<FakeKubernetes> {
  const kubernetes = fakeKubernetes();
  for (const name of ['kafka', 'zookeeper']) {
    await operator(kubernetes, name, marks);
    await instance(kubernetes, name, 'COMPLETE', marks);
    await part(kubernetes, 'StatefulSet', name, name);
    await part(kubernetes, 'Pod', `${name}-0`, name);
    await part(kubernetes, 'PersistentVolumeClaim', `data-${name}-0`, name);
  }
  kubernetes.writes.length = 0;
  return kubernetes;
}

/** Deletes what an Instance owned, one object at each look. */
function collectGarbage(kubernetes: FakeKubernetes): (lines: string[]) => void {
  return ([line = '']) => {
    const [, instanceName, kind, name] = /^removing (\S+): (\S+) ([^,\s]+)/.exec(line) ?? [];
    kubernetes.writes.push(`collect ${kind} of ${instanceName}`);
    kubernetes.objects.delete(`${kind} kafka/${name}`);
  };
}

test('Kafka is wholly gone before ZooKeeper is touched; claims, versions and operators follow', async () => {
  const kubernetes = await installed();
  expect(await removeInstalled(contextOf(kubernetes, collectGarbage(kubernetes)))).toEqual([]);
  expect(kubernetes.writes).toEqual([
    ...['kafka', 'zookeeper'].flatMap((name) => [
      `delete Instance kafka/${name}`,
      `collect StatefulSet of ${name}`,
      // The API server keeps a claim until its pod is gone.
      `delete PersistentVolumeClaim kafka/data-${name}-0`,
      `collect Pod of ${name}`,
    ]),
    'delete OperatorVersion kafka/kafka-1.0.0',
    'delete OperatorVersion kafka/zookeeper-1.0.0',
    'delete Operator kafka/kafka',
    'delete Operator kafka/zookeeper',
  ]);
  expect(kubernetes.objects.size).toBe(0);
});

test('what others made or use stays, and a second time there is nothing to do', async () => {
  const kubernetes = fakeKubernetes();
  await operator(kubernetes, 'kafka', marks);
  await operator(kubernetes, 'zookeeper', foreign);
  for (const name of ['kafka', 'zookeeper']) await instance(kubernetes, name, 'COMPLETE', foreign);
  kubernetes.writes.length = 0;
  for (const _ of [1, 2]) {
    expect(await removeInstalled(contextOf(kubernetes))).toEqual([
      { kind: 'OperatorVersion', name: 'kafka-1.0.0', namespace: 'kafka', reason: 'still there or in use' },
      { kind: 'Operator', name: 'kafka', namespace: 'kafka', reason: 'still there or in use' },
    ]);
  }
  expect(kubernetes.writes).toEqual([]);
});

test('claims that are older than the Instance were a former one’s, and stay', async () => {
  const kubernetes = await installed();
  const old = kubernetes.objects.get('PersistentVolumeClaim kafka/data-kafka-0');
  if (old?.metadata) old.metadata.creationTimestamp = new Date(Date.now() - 60_000).toISOString();
  await removeInstalled(contextOf(kubernetes, collectGarbage(kubernetes)));
  expect([...kubernetes.objects.keys()]).toEqual(['PersistentVolumeClaim kafka/data-kafka-0']);
});

test('a removal that was cut off while the pods went is gone on with, claims and all', async () => {
  const kubernetes = await installed();
  const { remove } = kubernetes;
  // An Instance that is deleted in the foreground is there until all that it owns has gone.
  kubernetes.remove = async (ref, options) => {
    const found = kubernetes.objects.get('Instance kafka/kafka');
    if (ref.kind !== 'Instance' || !found?.metadata) return await remove(ref, options);
    const deletionTimestamp = new Date().toISOString();
    const set = kubernetes.objects.get('StatefulSet kafka/kafka');
    for (const one of [found, set]) if (one?.metadata) one.metadata.deletionTimestamp = deletionTimestamp;
    return { outcome: 'deleted' };
  };
  const cutOff = contextOf(kubernetes, () => {
    throw new Error('the worker is gone');
  });
  await expect(removeInstalled(cutOff)).rejects.toThrow('the worker is gone');
  expect(kubernetes.objects.has('PersistentVolumeClaim kafka/data-kafka-0')).toBe(false);
  kubernetes.remove = remove;
  expect(await removeInstalled(contextOf(kubernetes, collectGarbage(kubernetes)))).toEqual([]);
  expect(kubernetes.objects.size).toBe(0);
});

test('a claim that is made anew behind the StatefulSet’s end goes as well', async () => {
  const kubernetes = await installed();
  const { list } = kubernetes;
  let made = false;
  kubernetes.list = async <T extends KubernetesObject>(...asked: Parameters<typeof list>) => {
    const answer = await list<T>(...asked);
    const [{ kind }, selector] = asked;
    const late = kind === 'PersistentVolumeClaim' && selector?.label?.endsWith('=kafka');
    if (!made && late && answer.items.length === 0 && !kubernetes.objects.has('Pod kafka/kafka-0')) {
      made = true;
      await part(kubernetes, 'PersistentVolumeClaim', 'data-kafka-0', 'kafka');
    }
    return answer;
  };
  expect(await removeInstalled(contextOf(kubernetes, collectGarbage(kubernetes)))).toEqual([]);
  expect(made).toBe(true);
  expect(kubernetes.objects.size).toBe(0);
});

test('what does not go in time is left over by name, and the rest is removed all the same', async () => {
  const kubernetes = await installed();
  const collect = collectGarbage(kubernetes);
  const leftovers = await removeInstalled(
    contextOf(kubernetes, ([line = '']) => {
      if (!line.includes('removing kafka: Pod')) collect([line]);
    }),
  );
  expect(leftovers).toEqual([
    { kind: 'Pod', name: 'kafka-0', namespace: 'kafka', reason: 'not gone in time' },
  ]);
  expect([...kubernetes.objects.keys()]).toEqual(['Pod kafka/kafka-0']);
});

test('a claim that does not go is waited for once', async () => {
  const kubernetes = await installed();
  const { remove } = kubernetes;
  // As one with a finalizer that nobody takes off.
  kubernetes.remove = async (ref, options) => {
    const claim = kubernetes.objects.get('PersistentVolumeClaim kafka/data-kafka-0');
    if (ref.name !== 'data-kafka-0' || !claim?.metadata) return await remove(ref, options);
    claim.metadata.deletionTimestamp = new Date().toISOString();
    return { outcome: 'deleted' };
  };
  const before = Date.now();
  const collect = collectGarbage(kubernetes);
  const leftovers = await removeInstalled(
    contextOf(kubernetes, ([line = '']) => {
      if (!line.includes('removing kafka: PersistentVolumeClaim')) collect([line]);
    }),
  );
  expect(leftovers).toEqual([
    { kind: 'PersistentVolumeClaim', name: 'data-kafka-0', namespace: 'kafka', reason: 'not gone in time' },
  ]);
  expect([...kubernetes.objects.keys()]).toEqual(['PersistentVolumeClaim kafka/data-kafka-0']);
  expect(Date.now() - before).toBeGreaterThan(360_000);
  expect(Date.now() - before).toBeLessThan(370_000);
});

test('what is kept bears no mark of the run any more', async () => {
  const kubernetes = await installed();
  await keepInstalled(contextOf(kubernetes));
  for (const key of [
    'Instance kafka/kafka',
    'OperatorVersion kafka/kafka-1.0.0',
    'Operator kafka/zookeeper',
  ]) {
    expect(kubernetes.objects.get(key)?.metadata).toMatchObject({ labels: {}, annotations: {} });
  }
  expect(kubernetes.writes.every((write) => write.startsWith('patch'))).toBe(true);
  kubernetes.writes.length = 0;
  await removeInstalled(contextOf(kubernetes));
  expect(kubernetes.writes).toEqual([]);
});
