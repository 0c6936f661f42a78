import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LeaderfallError, problem } from '../../src/experiment/errors.ts';
import type { KubernetesObject } from '../../src/kubernetes/port.ts';
import { install } from '../../src/provisioners/kudo/install.ts';
import { madeObjects } from '../../src/provisioners/kudo/own-objects.ts';
import type { PlanStatus } from '../../src/provisioners/kudo/plan.ts';
import { type FakeKubernetes, fakeKubernetes } from '../support/fake-kubernetes.ts';
import { another, contextOf, instance, marks, packageOf, part, plan, run } from './kudo-support.ts';

vi.mock('node:timers/promises', () => ({
  setTimeout: async (ms: number) => vi.setSystemTime(Date.now() + ms),
}));

const start = Date.parse('2026-01-01T00:00:00Z');

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: start });
});

afterEach(() => {
  vi.useRealTimers();
});

const wanted = { pack: packageOf('kafka'), instance: 'kafka', parameters: { BROKER_COUNT: '3' } };
const made = ['Operator kafka/kafka', 'OperatorVersion kafka/kafka-1.0.0', 'Instance kafka/kafka'];

/** A cluster whose KUDO manager brings a plan that far after so many ms. */
function withManager(deploy: (ms: number) => PlanStatus | undefined): FakeKubernetes {
  const kubernetes = fakeKubernetes();
  const { read } = kubernetes;
  kubernetes.read = async <T extends KubernetesObject>(ref: Parameters<typeof read>[0]) => {
    const found = await read<T>(ref);
    if (ref.kind !== 'Instance' || !found || found.status) return found;
    // The manager empties planExecution before it writes the plan's end, and calls an Instance ready that is not.
    const planStatus = { deploy: deploy(Date.now() - start) };
    const conditions = [{ type: 'Ready', status: 'True' }];
    return {
      ...found,
      spec: { ...(found.spec as object), planExecution: {} },
      status: { planStatus, conditions },
    };
  };
  return kubernetes;
}

async function refusal(work: Promise<unknown>) {
  const error = await work.catch((caught: unknown) => caught);
  if (!(error instanceof LeaderfallError)) throw new Error(`no refusal: ${JSON.stringify(error)}`);
  return error.problem;
}

test('makes Operator, OperatorVersion and Instance, marked, and waits for the plan’s end', async () => {
  const kubernetes = withManager((ms) => {
    if (ms < 1_000) return undefined;
    return plan(ms < 20_000 ? 'IN_PROGRESS' : 'COMPLETE');
  });
  const context = contextOf(kubernetes);
  const { record } = await install(context, wanted, marks);
  expect(kubernetes.writes).toEqual(made.map((name) => `create ${name}`));
  expect((await madeObjects(context)).map(({ kind, name }) => `${kind} kafka/${name}`)).toEqual(
    made.toReversed(),
  );
  for (const name of made) expect(kubernetes.objects.get(name)?.metadata).toMatchObject(marks);
  expect(kubernetes.objects.get('Instance kafka/kafka')?.spec).toMatchObject({
    operatorVersion: { name: 'kafka-1.0.0' },
    parameters: { BROKER_COUNT: '3' },
  });
  expect(record).toMatchObject({ name: 'kafka', digest: wanted.pack.digest });
  expect(context.shown.map(([first]) => first)).toEqual(
    expect.arrayContaining(['kafka: plan deploy not scheduled yet', 'kafka: plan deploy IN_PROGRESS']),
  );
  expect(Date.now() - start).toBeGreaterThanOrEqual(20_000);
});

test('a second attempt goes on waiting for what the first one made', async () => {
  const kubernetes = withManager((ms) => plan(ms < 20_000 ? 'IN_PROGRESS' : 'COMPLETE'));
  await instance(kubernetes, 'kafka', 'IN_PROGRESS', marks);
  const found = kubernetes.objects.get('Instance kafka/kafka');
  if (found) delete found.status;
  const context = contextOf(kubernetes);
  await install(context, wanted, marks);
  expect(kubernetes.writes).toEqual([]);
  // A worker that died after it had made the Instance must not make the run forget it.
  expect(await madeObjects(context)).toMatchObject([{ kind: 'Instance', name: 'kafka' }]);
});

test('a healthy Instance is used as it is', async () => {
  const kubernetes = fakeKubernetes();
  await instance(kubernetes, 'kafka', 'COMPLETE');
  const { notes } = await install(contextOf(kubernetes), wanted, marks);
  expect(notes).toEqual([expect.stringContaining('it is used and stays')]);
  expect(kubernetes.writes).toEqual([]);
});

test('an Instance of somebody else that is not healthy is theirs to mend', async () => {
  const kubernetes = fakeKubernetes();
  await instance(kubernetes, 'kafka', 'ERROR');
  expect(await refusal(install(contextOf(kubernetes), wanted, marks))).toMatchObject({
    code: 'PLAN_FATAL',
    evidence: expect.arrayContaining(['kafka: plan deploy ERROR']),
    retryable: false,
  });
  expect(kubernetes.writes).toEqual([]);
});

test('what a dead run left half-done is removed first, and its pods are waited for', async () => {
  const kubernetes = withManager(() => plan('COMPLETE'));
  await instance(kubernetes, 'kafka', 'IN_PROGRESS', another);
  await part(kubernetes, 'Pod', 'kafka-kafka-0', 'kafka');
  const context = contextOf(kubernetes, (lines) => {
    // The garbage collector.
    if (lines.join().includes('Pod kafka-kafka-0')) kubernetes.objects.delete('Pod kafka/kafka-kafka-0');
  });
  await install(context, wanted, marks);
  expect(context.shown[0]).toEqual(['removing kafka: Pod kafka-kafka-0']);
  expect(kubernetes.writes).toEqual(['delete Instance kafka/kafka', ...made.map((name) => `create ${name}`)]);
  expect(kubernetes.objects.get('Instance kafka/kafka')?.metadata?.labels).toMatchObject({
    'leaderfall.io/run-id': run.runId,
  });
});

test('volume claims of a former Instance are not taken over: nothing is made', async () => {
  const kubernetes = withManager(() => plan('COMPLETE'));
  await part(kubernetes, 'PersistentVolumeClaim', 'data-kafka-kafka-0', 'kafka');
  expect(await refusal(install(contextOf(kubernetes), wanted, marks))).toMatchObject({
    code: 'VOLUMES_REMAIN',
    evidence: ['PersistentVolumeClaim data-kafka-kafka-0'],
    next: expect.stringContaining('delete pvc -l kudo.dev/instance=kafka'),
  });
  expect(kubernetes.writes).toEqual([]);
});

test('nor are those on which a dead run had put its Instance: it goes, they stay', async () => {
  const kubernetes = withManager(() => plan('COMPLETE'));
  await part(kubernetes, 'PersistentVolumeClaim', 'data-kafka-kafka-0', 'kafka');
  vi.setSystemTime(start + 60_000);
  await instance(kubernetes, 'kafka', 'IN_PROGRESS', another);
  expect(await refusal(install(contextOf(kubernetes), wanted, marks))).toMatchObject({
    code: 'VOLUMES_REMAIN',
  });
  expect(kubernetes.writes).toEqual(['delete Instance kafka/kafka']);
});

test('claims of this run’s own Instance are no hindrance to its second attempt', async () => {
  const kubernetes = withManager(() => plan('COMPLETE'));
  await instance(kubernetes, 'kafka', 'COMPLETE', marks);
  await part(kubernetes, 'PersistentVolumeClaim', 'data-kafka-kafka-0', 'kafka');
  await install(contextOf(kubernetes), wanted, marks);
  expect(kubernetes.writes).toEqual([]);
});

test.each([
  ['live', 'COMPLETE', false],
  ['live', 'IN_PROGRESS', false],
  ['unknown', 'IN_PROGRESS', true],
] as const)(
  'an Instance of a run that is %s and %s is neither used nor removed',
  async (state, status, retryable) => {
    const kubernetes = withManager(() => plan('COMPLETE'));
    await instance(kubernetes, 'kafka', status, another);
    const context = { ...contextOf(kubernetes), standing: async () => ({ state, why: 'runs' }) };
    expect(await refusal(install(context, wanted, marks))).toMatchObject({
      code: 'CLUSTER_CLAIMED',
      message: expect.stringContaining('runs'),
      retryable,
    });
    expect(kubernetes.writes).toEqual([]);
  },
);

test('nothing is made while pods of a former Instance are on their way out', async () => {
  const kubernetes = withManager(() => plan('COMPLETE'));
  await part(kubernetes, 'Pod', 'kafka-kafka-0', 'kafka');
  const context = contextOf(kubernetes, ([line]) => {
    if (line !== 'waiting for what is old of kafka to go: kafka-kafka-0') return;
    expect(kubernetes.writes).toEqual([]);
    kubernetes.objects.delete('Pod kafka/kafka-kafka-0');
  });
  await install(context, wanted, marks);
  expect(kubernetes.objects.has('Pod kafka/kafka-kafka-0')).toBe(false);
});

test('FATAL_ERROR ends it at once with the step’s message', async () => {
  const kubernetes = withManager(() => plan('FATAL_ERROR', 'quota exceeded'));
  expect(await refusal(install(contextOf(kubernetes), wanted, marks))).toMatchObject({
    code: 'PLAN_FATAL',
    message: 'deploy.main.all: quota exceeded',
    retryable: false,
  });
  expect(Date.now()).toBe(start);
});

const unbound = {
  status: {
    conditions: [
      { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: 'unbound volume' },
    ],
  },
};

test('a pod that waits for long ends it with the pod’s reason, which was shown all along', async () => {
  const kubernetes = withManager(() => plan('IN_PROGRESS'));
  const context = contextOf(kubernetes, () => {
    if (!kubernetes.objects.has('Pod kafka/kafka-kafka-0'))
      void part(kubernetes, 'Pod', 'kafka-kafka-0', 'kafka', unbound);
  });
  expect(await refusal(install(context, wanted, marks))).toMatchObject({
    code: 'POD_WAITING',
    message: expect.stringContaining('unbound volume'),
  });
  expect(context.shown.at(-1)?.join()).toContain('unbound volume');
  expect(Date.now() - start).toBeGreaterThan(60_000);
});

/** An Event about an object that is there. */
async function tell(kubernetes: FakeKubernetes, key: string, event: { type: string; reason: string }) {
  const { uid } = kubernetes.objects.get(key)?.metadata ?? {};
  const metadata = { name: `${key}-${event.reason}`, namespace: 'kafka' };
  const message = `${event.reason} it was`;
  await kubernetes.create({
    apiVersion: 'v1',
    kind: 'Event',
    metadata,
    involvedObject: { uid },
    message,
    ...event,
  });
  kubernetes.writes.pop();
}

test.each([
  ['Pod', { status: { phase: 'Pending' } }, 'FailedMount'],
  ['StatefulSet', { spec: { replicas: 3 }, status: { replicas: 0 } }, 'FailedCreate'],
] as const)(
  'a %s of which only an Event tells why it does not get on ends it with that',
  async (kind, more, reason) => {
    const kubernetes = withManager(() => plan('IN_PROGRESS'));
    const context = contextOf(kubernetes, async () => {
      if (kubernetes.objects.has(`${kind} kafka/x`)) return;
      await part(kubernetes, kind, 'x', 'kafka', more);
      await tell(kubernetes, `${kind} kafka/x`, { type: 'Warning', reason });
    });
    expect(await refusal(install(context, wanted, marks))).toMatchObject({
      code: 'POD_WAITING',
      message: expect.stringContaining(`x: ${reason}: ${reason} it was`),
    });
    expect(context.shown.at(-1)?.join()).toContain(reason);
  },
);

test('a warning that something newer follows is past', async () => {
  const kubernetes = withManager((ms) => plan(ms < 150_000 ? 'IN_PROGRESS' : 'COMPLETE'));
  const context = contextOf(kubernetes, async () => {
    if (kubernetes.objects.has('Pod kafka/x')) return;
    await part(kubernetes, 'Pod', 'x', 'kafka', { status: { phase: 'Pending' } });
    await tell(kubernetes, 'Pod kafka/x', { type: 'Warning', reason: 'FailedMount' });
    await tell(kubernetes, 'Pod kafka/x', { type: 'Normal', reason: 'Pulling' });
  });
  await install(context, wanted, marks);
  expect(context.shown.flat()).toContain('x: Pulling: Pulling it was');
});

test('pods that wait one after another are no pod that waits for long', async () => {
  const kubernetes = withManager((ms) => plan(ms < 150_000 ? 'IN_PROGRESS' : 'COMPLETE'));
  const context = contextOf(kubernetes, () => {
    const ordinal = Math.floor((Date.now() - start) / 40_000);
    for (const key of kubernetes.objects.keys()) if (key.startsWith('Pod ')) kubernetes.objects.delete(key);
    void part(kubernetes, 'Pod', `kafka-kafka-${ordinal}`, 'kafka', unbound);
  });
  await install(context, wanted, marks);
  expect(Date.now() - start).toBeGreaterThanOrEqual(150_000);
});

test('a plan that does not end is given up after the time-out, with where it stands', async () => {
  const kubernetes = withManager(() => plan('IN_PROGRESS'));
  expect(await refusal(install(contextOf(kubernetes), wanted, marks))).toMatchObject({
    code: 'TIMED_OUT',
    evidence: expect.arrayContaining(['  phase main IN_PROGRESS']),
  });
});

test('a webhook that does not answer yet is waited for', async () => {
  const kubernetes = withManager(() => plan('COMPLETE'));
  const { create } = kubernetes;
  kubernetes.create = async (object) => {
    if (object.kind === 'Instance' && Date.now() - start < 5_000)
      throw problem('KUBERNETES_UNREACHABLE', 'failed calling webhook "instance-admission.kudo.dev"');
    return await create(object);
  };
  await install(contextOf(kubernetes), wanted, marks);
  expect(kubernetes.writes.at(-1)).toBe('create Instance kafka/kafka');
});

test('an OperatorVersion of that name that holds something else is left, and another made', async () => {
  const kubernetes = withManager(() => plan('COMPLETE'));
  await part(kubernetes, 'OperatorVersion', 'kafka-1.0.0', 'x', { spec: { templates: { a: 'other' } } });
  await install(contextOf(kubernetes), wanted, marks);
  const name = `kafka-1.0.0-${wanted.pack.digest.slice(0, 8)}`;
  expect(kubernetes.objects.get('Instance kafka/kafka')?.spec).toMatchObject({ operatorVersion: { name } });
  expect(kubernetes.objects.get('OperatorVersion kafka/kafka-1.0.0')?.spec).toEqual({
    templates: { a: 'other' },
  });
});
