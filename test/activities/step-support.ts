import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import type { Resolved, RunContext } from '../../src/activities/contract.ts';
import type { ActivityDependencies } from '../../src/activities/dependencies.ts';
import type { Problem } from '../../src/experiment/errors.ts';
import { topicName } from '../../src/experiment/identity.ts';
import { resolveExperiment } from '../../src/experiment/resolve.ts';
import type { StartedLiveness, StatefulSetRef } from '../../src/experiment/result.ts';
import { type ExperimentInput, experimentSchema } from '../../src/experiment/spec.ts';
import { addressOf } from '../../src/kafka/metadata-pool.ts';
import type { ClusterMetadata, KafkaPort, Partition } from '../../src/kafka/port.ts';
import { takeClaim } from '../../src/kubernetes/lease.ts';
import { type FakeKubernetes, fakeKubernetes } from '../support/fake-kubernetes.ts';

export const run = {
  temporalNamespace: 'default',
  workflowId: 'w',
  runId: 'aaaaaaaa-0000-0000-0000-00000000beef',
};

/** What one look at Kafka shows; the partition's three replicas are brokers 1000 to 1002. */
export interface Look {
  leader?: number;
  isr?: number[];
  controller?: number;
  brokers?: number[];
}

/** A Kafka whose looks follow one another; the last one stays. 'silent': no broker answers. */
export interface FakeKafka extends KafkaPort {
  looks: (Look | 'silent')[];
  calls: string[];
  topics: Set<string>;
  /** Partitions of other topics, and what their topics ask for where it is not 1. */
  others: Partition[];
  minInsync: Record<string, number>;
  /** Consumer groups and how many members they have. */
  consumerGroups: Map<string, number>;
  /** `pending`: the brokers agree, and go on listing the topic. */
  deletion: 'allowed' | 'refused' | 'pending';
}

/** Brokers 1000, 1001, 1002 live in pods 0, 1, 2, whatever the digits say. */
export function fakeKafka(...looks: (Look | 'silent')[]): FakeKafka {
  const calls: string[] = [];
  let last: Look | 'silent' | undefined;
  const topics = new Set<string>();
  const consumerGroups = new Map<string, number>();
  const unused = async (): Promise<never> => {
    throw new Error('the fake Kafka does not do that');
  };
  const fake: FakeKafka = {
    looks: looks.length > 0 ? looks : [{}],
    calls,
    topics,
    others: [],
    minInsync: {},
    consumerGroups,
    deletion: 'allowed',
    metadata: async ({ topics: asked } = {}) => {
      calls.push('metadata');
      // The whole cluster is looked at beside the stream's partition, not instead of it.
      const next = () => (fake.looks.length > 1 ? fake.looks.shift() : fake.looks[0]);
      const look = asked === 'all' && last ? last : next();
      last = look;
      if (look === 'silent' || !look) throw new Error('no broker answers');
      const metadata = shown(look);
      const [partition] = metadata.partitions;
      const others =
        asked === 'all' && partition
          ? ['__consumer_offsets', ...topics].map((topic) => ({ ...partition, topic }))
          : [];
      const elsewhere = asked === 'all' ? fake.others : [];
      return { ...metadata, partitions: [...metadata.partitions, ...others, ...elsewhere] };
    },
    groups: async () => [...consumerGroups.keys()],
    deleteGroup: async (name) => {
      calls.push(`deleteGroup ${name}`);
      if (consumerGroups.get(name)) return 'in-use';
      return consumerGroups.delete(name) ? 'deleted' : 'not-found';
    },
    metadataOfEach: async ({ brokers = [] } = {}) => {
      calls.push('metadataOfEach');
      const look = shown({});
      return new Map(brokers.map((broker) => [addressOf(broker), look]));
    },
    createTopic: unused,
    deleteTopic: async (name) => {
      calls.push(`deleteTopic ${name}`);
      if (fake.deletion === 'refused') return 'refused';
      return topics.delete(name) ? 'deleted' : 'not-found';
    },
    purgeTopic: async (name) => {
      calls.push(`purgeTopic ${name}`);
    },
    brokerConfig: unused,
    minInsyncReplicas: async (asked) => {
      calls.push(`minInsyncReplicas ${asked.join(' ')}`);
      return new Map(asked.map((topic) => [topic, fake.minInsync[topic] ?? 1]));
    },
    topicListed: async (name) => fake.deletion === 'pending' || topics.has(name),
    endOffsets: unused,
    close: async () => {},
  };
  return fake;
}

function shown({
  leader = 1002,
  isr = [1002, 1000, 1001],
  controller = 1001,
  brokers = [1000, 1001, 1002],
}: Look) {
  return {
    at: 0,
    clusterId: null,
    controller,
    brokers: brokers.map((id) => ({
      id,
      host: `kafka-kafka-${id - 1000}.kafka-svc.kafka.svc.cluster.local`,
      port: 9092,
    })),
    partitions: [{ topic: 't', partition: 0, leader, leaderEpoch: 7, replicas: [1002, 1000, 1001], isr }],
  } satisfies ClusterMetadata;
}

/** A namespace with an opted-in Kafka of three brokers, as an earlier step found it. */
export interface Scene {
  kubernetes: FakeKubernetes;
  kafka: FakeKafka;
  deps: ActivityDependencies;
  context: RunContext;
  liveness: StartedLiveness;
}

/** Builds the scene; what the run itself makes is not in it but for the liveness pod. */
export async function scene(kafka: FakeKafka, input: ExperimentInput = {}): Promise<Scene> {
  const kubernetes = fakeKubernetes();
  await kubernetes.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kafka' } });
  await kubernetes.create({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'kafka-svc', namespace: 'kafka' },
  });
  await kubernetes.create({
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: {
      name: 'kafka-kafka',
      namespace: 'kafka',
      labels: { app: 'kafka' },
      annotations: { 'litmuschaos.io/chaos': 'true' },
    },
    spec: { replicas: 3, serviceName: 'kafka-svc' },
  });
  const statefulSet: StatefulSetRef = {
    namespace: 'kafka',
    name: 'kafka-kafka',
    uid: kubernetes.objects.get('StatefulSet kafka/kafka-kafka')?.metadata?.uid ?? '',
    replicas: 3,
    service: 'kafka-svc',
  };
  for (const ordinal of [0, 1, 2]) await kubernetes.create(brokerPod(ordinal, statefulSet));
  await kubernetes.create(livenessPod());
  kubernetes.writes.length = 0;
  return {
    kubernetes,
    kafka,
    deps: {
      kubernetes,
      connectKafka: () => kafka,
      defaults: { image: 'i' },
      policy: {},
      takeKill: async () => ({ granted: true }),
      temporalNamespaceId: async () => undefined,
      runState: async () => 'running',
      ownerOfRun: async () => undefined,
      readLock: async () => undefined,
      cancelRun: async () => {},
      showProgress: async () => {},
      pauseSchedule: async () => {},
      registeredSearchAttributes: async () => ['LeaderfallCluster'],
      lastPassed: async () => undefined,
      versions: { leaderfall: '0' },
      log: { info: () => {}, warn: () => {} },
    },
    context: contextOf(statefulSet, input),
    liveness: {
      namespace: 'kafka',
      pod: 'kafka-liveness',
      podUid: kubernetes.objects.get('Pod kafka/kafka-liveness')?.metadata?.uid ?? '',
      node: 'n',
      topic: topicName(run, 0),
      replicationFactor: 3,
      minInsyncReplicas: 2,
      steadyAt: 0,
    },
  };
}

function contextOf(statefulSet: StatefulSetRef, input: ExperimentInput): RunContext {
  const parsed = experimentSchema.parse({ ...input, cluster: { namespace: 'kafka' }, reach: 'direct' });
  const resolved: Resolved = {
    run,
    experiment: resolveExperiment(parsed, { image: 'i' }),
    provisioner: 'existing',
    statefulSetName: 'kafka-kafka',
    expires: 0,
    notes: [],
    versions: {},
    searchAttributes: [],
  };
  return {
    resolved,
    kafka: {
      provisioner: 'existing',
      statefulSet,
      brokerIds: [1000, 1001, 1002],
      gracePeriodSeconds: 30,
      settings: {},
      made: [],
      packages: [],
      reach: 'direct',
      notes: [],
    },
  };
}

/** Takes the claim as `resolve` does; from whoever held it before. */
export async function claim({ kubernetes, context }: Pick<Scene, 'kubernetes' | 'context'>): Promise<void> {
  const { run: own, statefulSetName: statefulSet, expires } = context.resolved;
  const lease = { namespace: 'kafka', statefulSet, durationSeconds: 600, expires };
  await takeClaim({ ...lease, kubernetes, run: own, isClosed: async () => true });
}

/** A broker's pod as the StatefulSet makes it. */
export function brokerPod(ordinal: number, statefulSet: StatefulSetRef, metadata: object = {}) {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `kafka-kafka-${ordinal}`,
      namespace: 'kafka',
      ownerReferences: [{ uid: statefulSet.uid }],
      ...metadata,
    },
    spec: { hostname: `kafka-kafka-${ordinal}`, subdomain: 'kafka-svc', nodeName: `node-${ordinal + 1}` },
  };
}

function livenessPod() {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'kafka-liveness', namespace: 'kafka', labels: { 'leaderfall.io/run-id': run.runId } },
    status: { phase: 'Running' },
  };
}

/** The brokers' pods have been ready for long. */
export function settle({ kubernetes }: Scene): void {
  const ready = { type: 'Ready', status: 'True', lastTransitionTime: '2025-01-01T00:00:00Z' };
  for (const ordinal of [0, 1, 2]) {
    const pod = kubernetes.objects.get(`Pod kafka/kafka-kafka-${ordinal}`);
    if (pod) pod.status = { conditions: [ready] };
  }
}

/** Each broker advertises a load balancer of its own, which is reached. */
export function balance({ kafka }: Scene): void {
  const { metadata } = kafka;
  kafka.metadata = async (options) => {
    const look = await metadata(options);
    return { ...look, brokers: look.brokers.map((one) => ({ ...one, host: `b${one.id}.example.com` })) };
  };
}

/** The controller's next pod of that name, or the same one, changed. */
export async function replacePod(at: Scene, ordinal: number, metadata: object = {}): Promise<void> {
  at.kubernetes.objects.delete(`Pod kafka/kafka-kafka-${ordinal}`);
  await at.kubernetes.create(brokerPod(ordinal, at.context.kafka.statefulSet, metadata));
  at.kubernetes.writes.length = 0;
}

/** Runs one activity as an attempt of a run. */
export async function attempt<T, R>(
  step: (request: T) => Promise<R>,
  request: T,
  number = 1,
  workflowExecution = run,
  scheduledTimestampMs = Date.now(),
): Promise<R> {
  const environment = new MockActivityEnvironment(
    {
      attempt: number,
      scheduledTimestampMs,
      workflowExecution,
      namespace: workflowExecution.temporalNamespace,
    },
    // The steps fail on purpose.
    { logger: new DefaultLogger('ERROR') },
  );
  return await environment.run(step, request);
}

/** How a step refused: its problem, and whether Temporal will try it again. */
export async function refusal(step: Promise<unknown>): Promise<Problem & { retried: boolean }> {
  const error = await step.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  if (!(error instanceof ApplicationFailure)) throw new Error(`no ApplicationFailure: ${String(error)}`);
  const found = error.details?.[0] as Problem;
  if (error.type !== found.code) throw new Error(`type ${error.type}, code ${found.code}`);
  return { ...found, retried: !error.nonRetryable };
}
