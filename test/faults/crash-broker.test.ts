import { expect, test } from 'vitest';
import { checkAllowed } from '../../src/faults/all-faults.ts';
import type { CrashOutcome } from '../../src/faults/crash/protocol.ts';
import { crashBroker } from '../../src/faults/crash-broker.ts';
import type { FaultContext } from '../../src/faults/fault.ts';
import type { KubernetesObject } from '../../src/kubernetes/port.ts';
import { problemOf } from '../experiment/problem-of.ts';
import type { FakeKubernetes } from '../support/fake-kubernetes.ts';
import { deadline, run, victim } from './fault-support.ts';

const name = 'leaderfall-crash-0000beef-1-c0ffee';
const key = `Pod leaderfall-crash/${name}`;

/** A cluster whose node starts the crash pod at once; `answer` is what its program says when it is asked to kill. */
async function armed(answer?: CrashOutcome) {
  const { kubernetes, context } = await victim();
  const asked: string[] = [];
  kubernetes.create = async (object) => {
    if (kubernetes.objects.has(key)) return 'exists';
    asked.push(`create ${object.metadata?.name}`);
    kubernetes.objects.set(key, { ...object, status: { phase: 'Running' } });
    return object;
  };
  kubernetes.podRequest = async (pod, { method, path }) => {
    if (pod.name !== name || !kubernetes.objects.has(key)) throw new Error('no such pod');
    asked.push(`${method} ${path}`);
    if (path === '/healthz') return { status: 200, body: '{}' };
    if (!answer) throw new Error('the connection broke');
    return { status: 200, body: JSON.stringify(answer) };
  };
  // The look for a pod that starts goes by the real clock.
  const real: FaultContext = { ...context, plan: { ...context.plan, notAfter: Date.now() + 60_000 } };
  return { kubernetes, context: { ...real, now: () => deadline + 100 }, asked };
}

/** The crash pod has ended with these last words. */
function ended(kubernetes: FakeKubernetes, words?: CrashOutcome): void {
  const terminated = { exitCode: 0, ...(words ? { message: JSON.stringify(words) } : {}) };
  const status = { phase: 'Succeeded', containerStatuses: [{ name: 'crash', state: { terminated } }] };
  kubernetes.objects.set(key, { ...(kubernetes.objects.get(key) as KubernetesObject), status });
}

test('is refused unless experiment and worker both allow it, and says what is missing of the two', () => {
  const refused = (privileged: boolean, allowed: string[]) =>
    problemOf(() => checkAllowed({ fault: { kind: 'crash', privileged } }, allowed));
  expect(refused(false, [])).toMatchObject({ code: 'FAULT_NOT_ALLOWED', evidence: { length: 2 } });
  expect(refused(true, []).evidence?.[0]).toContain('LEADERFALL_ALLOW_FAULTS');
  expect(refused(false, ['crash']).evidence?.[0]).toContain('fault.privileged');
  expect(() => checkAllowed({ fault: { kind: 'crash', privileged: true } }, ['crash'])).not.toThrow();
  expect(() => checkAllowed({ fault: { kind: 'delete', privileged: false } }, [])).not.toThrow();
});

test('starts one pod on the broker’s node, sees the node’s processes, dies by itself, and carries its run’s marks', async () => {
  const { kubernetes, context } = await armed();
  expect(await crashBroker.arm(context)).toBeUndefined();
  const pod = kubernetes.objects.get(key);
  const lifeSeconds = (context.plan.notAfter - context.now()) / 1_000;
  expect(pod?.spec).toMatchObject({
    nodeName: 'node-2',
    hostPID: true,
    restartPolicy: 'Never',
    automountServiceAccountToken: false,
    activeDeadlineSeconds: Math.ceil(lifeSeconds) + 60,
    containers: [{ securityContext: { privileged: true, readOnlyRootFilesystem: true } }],
  });
  expect(pod?.metadata?.labels).toMatchObject({ 'leaderfall.io/run-id': run.runId });
  expect(pod?.metadata?.annotations).toHaveProperty('leaderfall.io/expires');
  expect(pod).toHaveProperty('spec.containers.0.env', [
    { name: 'CRASH_POD_UID', value: context.plan.podUid },
    { name: 'CRASH_CONTAINER_ID', value: 'c0ffee' },
    { name: 'CRASH_NOT_AFTER', value: String(context.plan.notAfter) },
  ]);
});

test('beforehand each node pulls the image, by a pod without any rights that ends at once and is removed', async () => {
  const { kubernetes, context } = await victim();
  const { experiment, expires, signal } = context;
  const looks = new Map<string, number>();
  const { read } = kubernetes;
  const made: KubernetesObject[] = [];
  kubernetes.read = async (ref) => {
    const found = await read(ref);
    const look = (looks.get(ref.name) ?? 0) + 1;
    looks.set(ref.name, look);
    if (look === 1 && found) made.push(found);
    // The second node pulls for a while; the third never ends.
    const over = ref.name.endsWith('-1') || (ref.name.endsWith('-2') && look > 2);
    return found && ({ ...found, status: { phase: over ? 'Succeeded' : 'Pending' } } as never);
  };
  const nodes = ['node-1', 'node-2', 'node-3'];
  const until = Date.now() + 1_000;
  await crashBroker.prepare?.({ kubernetes, experiment, run, expires, nodes, until, signal });
  expect(made.map(({ spec }) => (spec as { nodeName: string }).nodeName)).toEqual(nodes);
  for (const { spec, metadata } of made) {
    expect(spec).not.toHaveProperty('hostPID');
    expect(spec).toMatchObject({
      containers: [{ image: 'leaderfall', securityContext: { runAsNonRoot: true } }],
    });
    expect(metadata?.labels).toMatchObject({ 'leaderfall.io/run-id': run.runId });
  }
  expect(looks.get('leaderfall-crash-0000beef-image-2')).toBe(3);
  expect([...kubernetes.objects.keys()].filter((each) => each.includes('leaderfall-crash'))).toEqual([]);
});

test('nobody is killed before the act, which names the container', async () => {
  const { context, asked } = await armed({ outcome: 'killed', at: deadline + 90, pid: 77 });
  await crashBroker.arm(context);
  expect(asked).toEqual([`create ${name}`, 'GET /healthz']);
  expect(await crashBroker.act(context)).toEqual({
    outcome: 'killed',
    requestedAt: deadline + 100,
    answeredAt: deadline + 100,
    gracePeriodSeconds: 0,
    repeated: false,
  });
  expect(asked.at(-1)).toBe('POST /kill?container=c0ffee');
});

test('after notAfter the pod is not even asked', async () => {
  const { context, asked } = await armed({ outcome: 'killed', at: 0, pid: 77 });
  await crashBroker.arm(context);
  const late = { ...context, now: () => context.plan.notAfter + 1 };
  expect(await crashBroker.act(late)).toMatchObject({ outcome: 'skipped' });
  expect(asked.filter((one) => one.startsWith('POST'))).toEqual([]);
});

test.each<[CrashOutcome, object]>([
  [
    { outcome: 'gone', at: deadline },
    { outcome: 'moved', reason: expect.stringContaining('somebody else') },
  ],
  [
    { outcome: 'late', at: deadline + 9 },
    { outcome: 'skipped', reason: '9 ms late by the node’s clock' },
  ],
])('what the program did not do is no kill: %j', async (answer, act) => {
  const { context } = await armed(answer);
  await crashBroker.arm(context);
  expect(await crashBroker.act(context)).toMatchObject(act);
});

const startError = {
  exitCode: 128,
  reason: 'StartError',
  message: 'exec: "node": executable file not found',
};

test.each([
  ['the broker’s container cannot be told', { container: undefined }, {}, 'cluster.brokerContainer'],
  ['the pod fails at its start', {}, { reason: 'OutOfcpu' }, 'OutOfcpu'],
  [
    'its container cannot be started',
    {},
    { containerStatuses: [{ name: 'crash', state: { terminated: startError } }] },
    'executable file not found',
  ],
])('it is skipped where %s', async (_, change, failed, reason) => {
  const { kubernetes, context } = await armed();
  const { create } = kubernetes;
  kubernetes.create = async (object) => {
    await create(object);
    kubernetes.objects.set(key, { ...object, status: { phase: 'Failed', ...failed } });
    return object;
  };
  const act = await crashBroker.arm({ ...context, plan: { ...context.plan, ...change } });
  expect(act).toMatchObject({ outcome: 'skipped', reason: expect.stringContaining(reason) });
});

test('a second attempt learns from the pod what the first one did, and does not ask it again', async () => {
  const { kubernetes, context, asked } = await armed();
  await crashBroker.arm(context);
  await expect(crashBroker.act(context)).rejects.toThrow('the connection broke');
  ended(kubernetes, { outcome: 'killed', at: deadline + 55, pid: 77, endedAfterMs: 8 });
  expect(await crashBroker.alreadyDone({ ...context, attempt: 2 })).toMatchObject({
    outcome: 'killed',
    requestedAt: deadline + 55,
    endedAfterMs: 8,
    repeated: true,
  });
  expect(asked.filter((one) => one.startsWith('POST'))).toHaveLength(1);
});

test('an act that came to its end between that question and the second arming is taken for what it is, at once', async () => {
  const { kubernetes, context, asked } = await armed();
  await crashBroker.arm(context);
  ended(kubernetes, { outcome: 'killed', at: deadline + 55, pid: 77, endedAfterMs: 8 });
  expect(await crashBroker.arm({ ...context, attempt: 2 })).toMatchObject({
    outcome: 'killed',
    requestedAt: deadline + 55,
    repeated: true,
  });
  expect(asked.filter((one) => one.startsWith('POST'))).toEqual([]);
});

test('a program that ended in the middle of its act leaves a doubt', async () => {
  const { kubernetes, context } = await armed();
  await crashBroker.arm(context);
  ended(kubernetes, { outcome: 'killing', at: deadline + 55, pid: 77 });
  expect(await crashBroker.alreadyDone({ ...context, attempt: 2 })).toMatchObject({
    outcome: 'killed',
    doubt: expect.stringContaining('middle'),
  });
});

test('a second attempt after one that came to nothing goes on with the pod that is there', async () => {
  const { context, asked } = await armed({ outcome: 'killed', at: 0, pid: 77 });
  const second = { ...context, attempt: 2 };
  expect(await crashBroker.alreadyDone(second)).toBeUndefined();
  await crashBroker.arm(context);
  expect(await crashBroker.alreadyDone(second)).toBeUndefined();
  await crashBroker.arm(second);
  expect(await crashBroker.act(second)).toMatchObject({ outcome: 'killed', repeated: false });
  expect(asked.filter((one) => one.startsWith('create'))).toHaveLength(1);
});

test('a kill that is called off takes its pod away', async () => {
  const { kubernetes, context } = await armed();
  await crashBroker.arm(context);
  await crashBroker.standDown(context, 'called-off');
  expect(kubernetes.objects.has(key)).toBe(false);
});

/** Like a kubelet, which takes a moment: whoever looks sees a removed pod going `looks` times. */
function goesSlowly(kubernetes: FakeKubernetes, looks: number): void {
  const { read } = kubernetes;
  let left = 0;
  kubernetes.remove = async () => {
    const pod = kubernetes.objects.get(key);
    const metadata = { ...pod?.metadata, deletionTimestamp: '2026-01-01T00:00:59Z' };
    kubernetes.objects.set(key, { ...pod, metadata });
    left = looks;
    return { outcome: 'deleted' };
  };
  kubernetes.read = async (ref) => {
    if (kubernetes.objects.get(key)?.metadata?.deletionTimestamp && left-- === 0)
      kubernetes.objects.delete(key);
    return await read(ref);
  };
}

test('a container that is aimed at again after its kill was called off gets another pod, once the first has gone', async () => {
  const { kubernetes, context, asked } = await armed({ outcome: 'killed', at: deadline + 90, pid: 77 });
  goesSlowly(kubernetes, 2);
  await crashBroker.arm(context);
  await crashBroker.standDown(context, 'called-off');
  expect(await crashBroker.arm(context)).toBeUndefined();
  expect(asked).toEqual([`create ${name}`, 'GET /healthz', `create ${name}`, 'GET /healthz']);
  expect(await crashBroker.act(context)).toMatchObject({ outcome: 'killed', repeated: false });
});

test('it is skipped where the first pod does not go in time', async () => {
  const { kubernetes, context } = await armed();
  goesSlowly(kubernetes, 1_000);
  await crashBroker.arm(context);
  await crashBroker.standDown(context, 'called-off');
  const plan = { ...context.plan, notAfter: Date.now() + 400 };
  expect(await crashBroker.arm({ ...context, plan })).toMatchObject({
    outcome: 'skipped',
    reason: expect.stringContaining('another pod of its name was still going'),
  });
});

test.each(['gone', 'going'])(
  'its new pod that is %s before the kill was removed by somebody else',
  async (how) => {
    const { kubernetes, context } = await armed();
    goesSlowly(kubernetes, how === 'gone' ? 0 : 1_000);
    const { create } = kubernetes;
    kubernetes.create = async (object) => {
      const made = await create(object);
      await kubernetes.remove({ apiVersion: 'v1', kind: 'Pod', namespace: 'leaderfall-crash', name });
      return made;
    };
    expect(await crashBroker.arm(context)).toMatchObject({
      outcome: 'skipped',
      reason: 'the crash pod was removed by somebody else',
    });
  },
);

test('clean-up removes the run’s own pods and nobody else’s', async () => {
  const { kubernetes, context } = await armed();
  await crashBroker.arm(context);
  const other = { labels: { 'leaderfall.io/run-id': 'another' }, namespace: 'leaderfall-crash' };
  kubernetes.objects.set('Pod leaderfall-crash/other', {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...other, name: 'other' },
  });
  const { signal } = context;
  expect(await crashBroker.cleanUp?.({ kubernetes, run, signal })).toEqual({ done: '1 crash pods removed' });
  expect([...kubernetes.objects.keys()]).not.toContain(key);
  expect([...kubernetes.objects.keys()]).toContain('Pod leaderfall-crash/other');
});
