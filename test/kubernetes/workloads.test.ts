import { expect, test } from 'vitest';
import { isReady, type Pod, podNames, waitingReasons, wholeSince } from '../../src/kubernetes/workloads.ts';

test('an image that cannot be pulled and a crash loop are named with pod and container', () => {
  const waiting = (name: string, reason: string, message?: string) => ({
    name,
    restartCount: 0,
    state: { waiting: { reason, ...(message ? { message } : {}) } },
  });
  const pod = {
    metadata: { name: 'kafka-0' },
    status: {
      initContainerStatuses: [waiting('init', 'CrashLoopBackOff')],
      containerStatuses: [
        waiting('broker', 'ImagePullBackOff', 'not found'),
        waiting('exporter', 'PodInitializing'),
      ],
    },
  };
  expect(waitingReasons(pod)).toEqual([
    'kafka-0/init: CrashLoopBackOff',
    'kafka-0/broker: ImagePullBackOff: not found',
  ]);
});

test('a pod that fits no node or waits for a volume is named with the scheduler’s words', () => {
  const conditions = [
    { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: 'unbound volume' },
  ];
  expect(waitingReasons({ metadata: { name: 'a' }, status: { conditions } })).toEqual([
    'a: Unschedulable: unbound volume',
  ]);
});

test('a normal start has no reasons', () => {
  const state = { waiting: { reason: 'ContainerCreating' } };
  const pod = {
    metadata: { name: 'a' },
    status: { containerStatuses: [{ name: 'c', restartCount: 0, state }] },
  };
  expect(waitingReasons(pod)).toEqual([]);
  expect(isReady(pod)).toBe(false);
});

test('pods of a StatefulSet are counted from its first ordinal', () => {
  expect(podNames({ name: 'kafka', replicas: 2 })).toEqual(['kafka-0', 'kafka-1']);
  expect(podNames({ name: 'kafka', replicas: 2, firstOrdinal: 5 })).toEqual(['kafka-5', 'kafka-6']);
});

test('a StatefulSet is whole since the last of its pods was ready, and not while one is away or goes', () => {
  const pod = (name: string, second: number, metadata: object = {}): Pod => ({
    metadata: { name, ...metadata },
    status: {
      conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: `2026-01-01T00:00:0${second}Z` }],
    },
  });
  const since = (...pods: Pod[]) =>
    wholeSince({ namespace: 'kafka', name: 'kafka', uid: 'u', replicas: 2 }, pods);
  expect(since(pod('kafka-0', 4), pod('kafka-1', 2))).toBe(Date.parse('2026-01-01T00:00:04Z'));
  expect(since(pod('kafka-0', 4))).toBeUndefined();
  expect(since(pod('kafka-0', 4), pod('kafka-1', 2, { deletionTimestamp: 'now' }))).toBeUndefined();
  expect(since(pod('kafka-0', 4), { metadata: { name: 'kafka-1' } })).toBeUndefined();
});
