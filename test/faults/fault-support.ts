import type { KillPlan } from '../../src/experiment/kill-record.ts';
import { experimentSchema, type ResolvedExperiment } from '../../src/experiment/spec.ts';
import type { FaultContext } from '../../src/faults/fault.ts';
import { takeClaim } from '../../src/kubernetes/lease.ts';
import { type FakeKubernetes, fakeKubernetes } from '../support/fake-kubernetes.ts';

export const run = {
  temporalNamespace: 'default',
  workflowId: 'w',
  runId: '01900000-0000-7000-8000-00000000beef',
};

/** The kill's deadline; the clock of a context stands 100 ms after it. */
export const deadline = Date.parse('2026-01-01T00:01:00Z');

/** A claimed cluster with one broker, pod kafka-2, and the plan to kill it. */
export async function victim(): Promise<{ kubernetes: FakeKubernetes; context: FaultContext }> {
  const kubernetes = fakeKubernetes();
  const statefulSet = 'kafka';
  await takeClaim({
    kubernetes,
    run,
    namespace: 'kafka',
    statefulSet,
    durationSeconds: 600,
    expires: deadline + 600_000,
    isClosed: async () => false,
  });
  await replaced(kubernetes);
  const plan = {
    index: 0,
    broker: 2,
    pod: 'kafka-2',
    namespace: 'kafka',
    node: 'node-2',
    podUid: kubernetes.objects.get('Pod kafka/kafka-2')?.metadata?.uid ?? '',
    container: { name: 'k8skafka', id: 'c0ffee', restarts: 0 },
    deadline,
    notAfter: deadline + 1_000,
  } as KillPlan;
  kubernetes.writes.length = 0;
  const context: FaultContext = {
    kubernetes,
    experiment: experimentSchema.parse({
      cluster: { namespace: 'kafka' },
      liveness: { image: 'leaderfall' },
    }) as ResolvedExperiment,
    run,
    expires: deadline + 600_000,
    statefulSet,
    plan,
    graceSeconds: 30,
    attempt: 1,
    now: () => deadline + 100,
    signal: new AbortController().signal,
  };
  return { kubernetes, context };
}

/** The StatefulSet's next pod of the same name, or the same one with other metadata. */
export async function replaced(kubernetes: FakeKubernetes, metadata: object = {}): Promise<void> {
  kubernetes.objects.delete('Pod kafka/kafka-2');
  await kubernetes.create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'kafka-2', namespace: 'kafka', ...metadata },
  });
}
