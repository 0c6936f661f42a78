import type { ActivityDependencies, RunState } from '../../src/activities/dependencies.ts';
import type { JanitorReport, JanitorRequest, SweptRun } from '../../src/activities/janitor-contract.ts';
import { makeSweep } from '../../src/activities/sweep.ts';
import {
  ownerOf,
  type RunIdentity,
  runAnnotations,
  runLabels,
  topicName,
} from '../../src/experiment/identity.ts';
import type { FakeKubernetes } from '../support/fake-kubernetes.ts';
import { attempt, type FakeKafka, fakeKafka } from './step-support.ts';

/** The Kafka of each namespace. */
export const kafkas = new Map<string, FakeKafka>();

export type Answer = RunState | 'no answer';

export const later = Date.now() + 3_600_000;
export const past = Date.now() - 5_000;

export function runOf(name: string): RunIdentity {
  return { temporalNamespace: 'default', workflowId: 'w', runId: name };
}

/** Temporal as the worker would find it. */
export function temporal(
  answers: Record<string, Answer>,
): Pick<ActivityDependencies, 'runState' | 'ownerOfRun'> {
  const known = (runId: string) => answers[runId] === 'running' || answers[runId] === 'over';
  return {
    runState: async (owner) => {
      const answer = answers[owner.split('/').at(-1) ?? ''] ?? 'over';
      if (answer === 'no answer') throw new Error('no answer');
      return answer;
    },
    ownerOfRun: async (runId) => (known(runId) ? ownerOf(runOf(runId)) : undefined),
  };
}

export function depsOf(kubernetes: FakeKubernetes, answers: Record<string, Answer>): ActivityDependencies {
  return {
    kubernetes,
    defaults: { image: 'i' },
    log: { info: () => {}, warn: () => {} },
    temporalNamespaceId: async () => 'own-id',
    ...temporal(answers),
  } as unknown as ActivityDependencies;
}

export function sweep(deps: ActivityDependencies, request: JanitorRequest = {}): Promise<JanitorReport> {
  return attempt(makeSweep(deps), request, 1, {
    temporalNamespace: 'default',
    workflowId: 'j',
    runId: 'janitor',
  });
}

export function marked(
  kind: string,
  namespace: string,
  name: string,
  runId: string,
  expires: number,
  more: object = {},
) {
  return {
    apiVersion: { Lease: 'coordination.k8s.io/v1', Pod: 'v1' }[kind] ?? 'kudo.dev/v1beta1',
    kind,
    metadata: {
      name,
      namespace,
      labels: runLabels(runOf(runId)),
      annotations: runAnnotations(runOf(runId), expires),
    },
    ...more,
  };
}

/** A namespace with a Kafka of three brokers that nobody has opted in. */
export async function makeKafka(
  kubernetes: FakeKubernetes,
  namespace: string,
  annotations: object = {},
): Promise<FakeKafka> {
  await kubernetes.create({
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'kafka-kafka', namespace, labels: { app: 'kafka' }, annotations: { ...annotations } },
    spec: { replicas: 3, serviceName: 'kafka-svc' },
  });
  const kafka = fakeKafka();
  kafkas.set(namespace, kafka);
  return kafka;
}

/** Everything that a run on an existing Kafka makes, as it stands when its worker and its workflow are gone. */
export async function leave(
  kubernetes: FakeKubernetes,
  namespace: string,
  runId: string,
  expires = later,
): Promise<void> {
  const kafka = await makeKafka(kubernetes, namespace, {
    'litmuschaos.io/chaos': 'true',
    'leaderfall.io/former-chaos-annotation': '"false"',
    ...runAnnotations(runOf(runId), expires),
  });
  const spec = {
    holderIdentity: ownerOf(runOf(runId)),
    leaseDurationSeconds: 600,
    renewTime: new Date().toISOString(),
  };
  await kubernetes.create(marked('Lease', namespace, 'leaderfall-kafka-kafka', runId, expires, { spec }));
  await kubernetes.create(marked('Pod', namespace, 'kafka-liveness', runId, expires));
  await kubernetes.create(marked('Pod', 'leaderfall-crash', `leaderfall-crash-${runId}-1`, runId, expires));
  kafka.topics.add(topicName({ runId }, expires));
  kafka.consumerGroups.set(`${topicName({ runId }, expires)}-0`, 0);
  kubernetes.writes.length = 0;
}

/** What there is, in words that can be compared: objects whole, but for versions, and the names in each Kafka. */
export function everything(kubernetes: FakeKubernetes): Map<string, string> {
  const seen = new Map<string, string>();
  for (const [key, { metadata, ...rest }] of kubernetes.objects) {
    const { labels, annotations } = metadata ?? {};
    seen.set(key, JSON.stringify({ ...rest, labels, annotations }));
  }
  for (const [namespace, { topics, consumerGroups }] of kafkas)
    for (const name of [...topics, ...consumerGroups.keys()]) seen.set(`${namespace} ${name}`, '');
  return seen;
}

export function rowOf({ runs }: JanitorReport, runId: string): SweptRun | undefined {
  return runs.find(({ run }) => run.endsWith(runId));
}
