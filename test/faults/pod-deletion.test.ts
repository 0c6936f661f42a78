import { expect, test, vi } from 'vitest';
import { faultOf } from '../../src/faults/all-faults.ts';
import { deletePod } from '../../src/faults/delete-pod.ts';
import { forceDeletePod } from '../../src/faults/force-delete-pod.ts';
import { problemOf } from '../experiment/problem-of.ts';
import type { FakeKubernetes } from '../support/fake-kubernetes.ts';
import { deadline, replaced, run, victim } from './fault-support.ts';

const pod = 'Pod kafka/kafka-2';
const lease = 'Lease kafka/leaderfall-kafka';
const foreign = { outcome: 'moved', reason: expect.stringContaining('somebody else') };

/** The victim is terminating since then, RFC 3339 of its end. */
function terminate(kubernetes: FakeKubernetes, end: string, grace: number): void {
  Object.assign(kubernetes.objects.get(pod)?.metadata ?? {}, {
    deletionTimestamp: end,
    deletionGracePeriodSeconds: grace,
  });
}

test('deletes exactly the pod of the plan', async () => {
  const { kubernetes, context } = await victim();
  expect(await deletePod.arm(context)).toBeUndefined();
  expect(await deletePod.act(context)).toMatchObject({
    outcome: 'deleted',
    requestedAt: deadline + 100,
    gracePeriodSeconds: 30,
    repeated: false,
  });
  expect(kubernetes.objects.has(pod)).toBe(false);
});

test('after notAfter nothing is done', async () => {
  const { kubernetes, context } = await victim();
  const act = await deletePod.act({ ...context, now: () => context.plan.notAfter + 1 });
  expect(act).toMatchObject({ outcome: 'skipped', reason: expect.stringContaining('1001 ms late') });
  expect(kubernetes.objects.has(pod)).toBe(true);
});

test('the grace is the pod’s own, the one asked for, or none', async () => {
  const { context } = await victim();
  const { experiment } = context;
  const asked = { ...experiment, fault: { ...experiment.fault, graceSeconds: 7 } };
  expect(deletePod.grace(experiment, 300)).toBe(300);
  expect(deletePod.grace(asked, 300)).toBe(7);
  expect(forceDeletePod.grace(asked, 300)).toBe(0);
});

test('a fault that there is none of is refused with the nearest', () => {
  const { evidence } = problemOf(() => faultOf({ fault: { kind: 'deleet' } }));
  expect(evidence?.[0]).toContain('nearest is "delete"');
});

test('without the claim nothing is begun: the cluster is another run’s', async () => {
  const { kubernetes, context } = await victim();
  kubernetes.objects.delete(lease);
  expect(await deletePod.arm(context)).toMatchObject({
    outcome: 'skipped',
    reason: expect.stringContaining('claim'),
  });
  const { context: other } = await victim();
  const act = await deletePod.arm({ ...other, run: { ...run, runId: 'another' } });
  expect(act).toMatchObject({ outcome: 'skipped' });
});

test('a pod that somebody else has replaced is not killed: its successor is not ours', async () => {
  const { kubernetes, context } = await victim();
  await deletePod.arm(context);
  await replaced(kubernetes);
  expect(await deletePod.act(context)).toMatchObject(foreign);
  expect(kubernetes.objects.has(pod)).toBe(true);
});

test('a second attempt takes what the first has done for done, and kills no successor', async () => {
  const { kubernetes, context } = await victim();
  const second = { ...context, attempt: 2 };
  await deletePod.arm(context);
  expect(await deletePod.alreadyDone(second)).toBeUndefined();
  await replaced(kubernetes);
  const done = await deletePod.alreadyDone(second);
  expect(done).toMatchObject({ outcome: 'deleted', repeated: true });
  expect(done).not.toHaveProperty('doubt');
  await deletePod.arm(second);
  expect(await deletePod.act(second)).toMatchObject({ outcome: 'deleted', repeated: true });
  expect(kubernetes.objects.has(pod)).toBe(true);
});

test.each([
  ['replaced', async (kubernetes: FakeKubernetes) => replaced(kubernetes)],
  ['gone', async (kubernetes: FakeKubernetes) => void kubernetes.objects.delete(pod)],
  ['terminating', async (kubernetes: FakeKubernetes) => terminate(kubernetes, '2026-01-01T00:01:30Z', 30)],
])('a pod that is %s though no attempt came to its request is somebody else’s doing', async (_, change) => {
  const { kubernetes, context } = await victim();
  await change(kubernetes);
  expect(await deletePod.alreadyDone({ ...context, attempt: 2 })).toMatchObject(foreign);
});

test('nor does the second attempt’s own mark make it ours', async () => {
  const { kubernetes, context } = await victim();
  const second = { ...context, attempt: 2 };
  expect(await deletePod.alreadyDone(second)).toBeUndefined();
  await deletePod.arm(second);
  await replaced(kubernetes);
  expect(await deletePod.act(second)).toMatchObject(foreign);
});

test('a kill that was called off leaves no mark behind', async () => {
  const { kubernetes, context } = await victim();
  await deletePod.arm(context);
  await deletePod.standDown(context, 'called-off');
  await replaced(kubernetes);
  expect(await deletePod.alreadyDone({ ...context, attempt: 2 })).toMatchObject(foreign);
});

test('a pod that is terminating already was deleted at its stamp less its grace', async () => {
  const { kubernetes, context } = await victim();
  await deletePod.arm(context);
  terminate(kubernetes, '2026-01-01T00:01:31Z', 30);
  const done = await deletePod.alreadyDone({ ...context, attempt: 2 });
  expect(done).toMatchObject({
    outcome: 'deleted',
    apiTime: '2026-01-01T00:01:01.000Z',
    gracePeriodSeconds: 30,
    repeated: true,
  });
  expect(done).not.toHaveProperty('doubt');
});

test.each([
  ['accepted long before the deadline', '2026-01-01T00:01:20Z', 30, 'before the deadline'],
  ['with another grace', '2026-01-01T00:01:06Z', 5, 'its grace is 5 s, not 30 s'],
])('a deletion %s is doubted, though our own may have been sent', async (_, end, grace, doubt) => {
  const { kubernetes, context } = await victim();
  await deletePod.arm(context);
  terminate(kubernetes, end, grace);
  const done = await deletePod.alreadyDone({ ...context, attempt: 2 });
  expect(done).toMatchObject({ outcome: 'deleted', doubt: expect.stringContaining(doubt) });
});

test('a successor that is older than the kill is doubted', async () => {
  const { kubernetes, context } = await victim();
  await deletePod.arm(context);
  await replaced(kubernetes, { creationTimestamp: '2026-01-01T00:00:50Z' });
  expect(await deletePod.alreadyDone({ ...context, attempt: 2 })).toMatchObject({
    doubt: expect.stringContaining('successor was made at'),
  });
});

test.each([
  ['lands late', true, { outcome: 'deleted', repeated: true, requestedAt: deadline + 5_900 }],
  ['is lost', false, undefined],
])(
  'a request that was given up at notAfter and %s is waited for before the kill is called off',
  async (_, lands, expected) => {
    vi.useFakeTimers({ toFake: ['Date'], now: deadline });
    const { kubernetes, context } = await victim();
    await deletePod.arm(context);
    const { notAfter } = context.plan;
    const second = { ...context, attempt: 2, now: Date.now };
    vi.setSystemTime(notAfter + 4_900);
    const looks: number[] = [];
    const { read } = kubernetes;
    kubernetes.read = async (ref) => {
      if (ref.kind === 'Pod' && looks.push(Date.now()) === 1 && lands)
        setTimeout(() => kubernetes.objects.delete(pod), 10);
      return await read(ref);
    };
    const done = await deletePod.alreadyDone(second);
    vi.useRealTimers();
    if (expected) expect(done).toMatchObject(expected);
    else expect(done).toBeUndefined();
  },
);

test('before notAfter, and after attempts that did not come to their request, nothing is waited for', async () => {
  const { context } = await victim();
  const late = { ...context, attempt: 2, now: () => context.plan.notAfter + 1 };
  expect(await deletePod.alreadyDone(late)).toBeUndefined();
  await deletePod.arm(context);
  expect(await deletePod.alreadyDone({ ...context, attempt: 2 })).toBeUndefined();
});
