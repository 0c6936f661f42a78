import { MockActivityEnvironment } from '@temporalio/testing';
import { expect, test, vi } from 'vitest';
import { isOptedIn, makeAnnotate, restoreAnnotation } from '../../src/activities/annotate.ts';
import type { RunContext } from '../../src/activities/contract.ts';
import type { ActivityDependencies } from '../../src/activities/dependencies.ts';
import type { RunIdentity } from '../../src/experiment/identity.ts';
import { type FakeKubernetes, fakeKubernetes } from '../support/fake-kubernetes.ts';
import { claim, refusal } from './step-support.ts';

const statefulSet = { namespace: 'kafka', name: 'kafka-kafka', uid: 'u', replicas: 3 };
const ref = { apiVersion: 'apps/v1', kind: 'StatefulSet', namespace: 'kafka', name: statefulSet.name };

async function withStatefulSet(annotations?: Record<string, string>): Promise<FakeKubernetes> {
  const kubernetes = fakeKubernetes();
  await kubernetes.create({
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: statefulSet.name, namespace: 'kafka', ...(annotations ? { annotations } : {}) },
  });
  return kubernetes;
}

function runOf(runId: string): RunIdentity {
  return { temporalNamespace: 'default', workflowId: 'w', runId };
}

/** The same, of a server whose namespace has that id. */
function runOn(temporalNamespaceId: string, runId: string): RunIdentity {
  return { ...runOf(runId), temporalNamespaceId };
}

const warn = vi.fn();

async function annotate(kubernetes: FakeKubernetes, runId: string, run = runOf(runId)) {
  const context = contextOf(run);
  await claim({ kubernetes, context });
  return await step(kubernetes, context);
}

function contextOf(run: RunIdentity): RunContext {
  const resolved = { run, expires: 0, experiment: { cluster: { namespace: 'kafka' } } };
  return {
    resolved: { ...resolved, statefulSetName: statefulSet.name },
    kafka: { statefulSet },
  } as RunContext;
}

/** The step alone, whoever has the claim. */
async function step(kubernetes: FakeKubernetes, context: RunContext) {
  return await new MockActivityEnvironment().run(
    makeAnnotate({ kubernetes, log: { warn } } as unknown as ActivityDependencies),
    context,
  );
}

function annotations(kubernetes: FakeKubernetes): Record<string, string> {
  return kubernetes.objects.get('StatefulSet kafka/kafka-kafka')?.metadata?.annotations ?? {};
}

test('opts in, writes what stood there beside it, and puts it back', async () => {
  const kubernetes = await withStatefulSet({ 'litmuschaos.io/chaos': 'false', other: 'stays' });
  expect(await annotate(kubernetes, 'a')).toEqual({ former: 'false', annotated: true });
  expect(annotations(kubernetes)).toMatchObject({
    'litmuschaos.io/chaos': 'true',
    'leaderfall.io/former-chaos-annotation': '"false"',
    'leaderfall.io/owner': 'default/w/a',
    'leaderfall.io/expires': '1970-01-01T00:00:00.000Z',
  });
  await restoreAnnotation(kubernetes, runOf('a'), statefulSet);
  expect(annotations(kubernetes)).toEqual({ 'litmuschaos.io/chaos': 'false', other: 'stays' });
});

test('where nothing stood, nothing stands afterwards; twice is once', async () => {
  const kubernetes = await withStatefulSet();
  await annotate(kubernetes, 'a');
  expect(await annotate(kubernetes, 'a')).toEqual({ former: null, annotated: false });
  expect(await restoreAnnotation(kubernetes, runOf('a'), statefulSet)).toContain('none');
  expect(await restoreAnnotation(kubernetes, runOf('a'), statefulSet)).toBeUndefined();
  expect(annotations(kubernetes)).toEqual({});
});

const lease = 'Lease kafka/leaderfall-kafka-kafka';

test('a worker that wakes after its run was cleaned up opts nothing in', async () => {
  const kubernetes = await withStatefulSet();
  kubernetes.writes.length = 0;
  const refused = { code: 'CLUSTER_CLAIMED', retried: false };
  expect(await refusal(step(kubernetes, contextOf(runOf('a'))))).toMatchObject(refused);
  expect(kubernetes.writes).toEqual([]);
  await claim({ kubernetes, context: contextOf(runOf('next')) });
  expect(await refusal(step(kubernetes, contextOf(runOf('a'))))).toMatchObject(refused);
  expect(annotations(kubernetes)).toEqual({});
});

test('one that stood still between its look and its write takes it back', async () => {
  const kubernetes = await withStatefulSet({ other: 'stays' });
  const { mergePatch } = kubernetes;
  kubernetes.mergePatch = async (ref, patch) => {
    kubernetes.objects.delete(lease);
    return await mergePatch(ref, patch);
  };
  expect(await refusal(annotate(kubernetes, 'a'))).toMatchObject({ code: 'CLUSTER_CLAIMED' });
  expect(annotations(kubernetes)).toEqual({ other: 'stays' });
});

test('what a dead run wrote is no opt-in; what a person wrote below it is', async () => {
  for (const [former, optedIn] of [
    [undefined, false],
    ['false', false],
    ['true', true],
  ] as const) {
    const kubernetes = await withStatefulSet(former ? { 'litmuschaos.io/chaos': former } : undefined);
    expect(isOptedIn(annotations(kubernetes))).toBe(optedIn);
    await annotate(kubernetes, 'dead');
    expect(annotations(kubernetes)['litmuschaos.io/chaos']).toBe('true');
    expect(isOptedIn(annotations(kubernetes))).toBe(optedIn);
  }
});

test('after a run that died, the next one restores what stood before both', async () => {
  const kubernetes = await withStatefulSet();
  await annotate(kubernetes, 'dead');
  expect(await annotate(kubernetes, 'b')).toEqual({ former: null, annotated: true });
  expect(await restoreAnnotation(kubernetes, runOf('dead'), statefulSet)).toBeUndefined();
  await restoreAnnotation(kubernetes, runOf('b'), statefulSet);
  expect(annotations(kubernetes)).toEqual({});
});

test('says whose Temporal the run is of, and leaves nobody’s id behind', async () => {
  const kubernetes = await withStatefulSet();
  const id = () => annotations(kubernetes)['leaderfall.io/temporal-namespace-id'];
  await annotate(kubernetes, 'dead', runOn('ann', 'dead'));
  expect(id()).toBe('ann');
  // A run that could not learn its own is not of the one before it.
  await annotate(kubernetes, 'b');
  expect(id()).toBeUndefined();
  await annotate(kubernetes, 'c', runOn('bob', 'c'));
  await restoreAnnotation(kubernetes, runOf('c'), statefulSet);
  expect(annotations(kubernetes)).toEqual({});
});

test.each(['true', '"true', '{"former": "true"}', ''])(
  'a note that a person turned into %j is warned of, and the annotation is removed at the end',
  async (note) => {
    const kubernetes = await withStatefulSet({ 'litmuschaos.io/chaos': 'true' });
    await annotate(kubernetes, 'a');
    await kubernetes.mergePatch(ref, {
      metadata: { annotations: { 'leaderfall.io/former-chaos-annotation': note } },
    });
    warn.mockClear();
    expect(await annotate(kubernetes, 'b')).toEqual({ former: null, annotated: true });
    expect(warn).toHaveBeenCalledOnce();
    await kubernetes.mergePatch(ref, {
      metadata: { annotations: { 'leaderfall.io/former-chaos-annotation': note } },
    });
    expect(await restoreAnnotation(kubernetes, runOf('b'), statefulSet)).toContain(
      'changed by somebody else',
    );
    expect(annotations(kubernetes)).toEqual({});
  },
);
