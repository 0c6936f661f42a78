import { problem, problemOf } from '../experiment/errors.ts';
import type { StatefulSetRef } from '../experiment/result.ts';
import type { ResolvedExperiment } from '../experiment/spec.ts';
import { addressOf } from '../kafka/metadata-pool.ts';
import type { Broker, KafkaPort, Partition } from '../kafka/port.ts';
import type { KubernetesPort } from '../kubernetes/port.ts';
import { poll } from '../kubernetes/wait.ts';
import { type StatefulSet, statefulSetRef } from '../kubernetes/workloads.ts';
import type { Checked, Provisioner } from '../provisioners/provisioner.ts';
import { brokerOfPod, brokerPods, podsByBroker, type ReachedKafka, withKafka } from './brokers.ts';
import type { ActivityDependencies } from './dependencies.ts';

/** Opens the Kafka of a StatefulSet that exists, for the time of `use`. */
export async function brokersOf<T>(
  deps: ActivityDependencies,
  experiment: ResolvedExperiment,
  statefulSetName: string,
  use: (reached: ReachedKafka, statefulSet: StatefulSetRef) => Promise<T>,
): Promise<T> {
  const target = await readStatefulSet(deps.kubernetes, experiment.cluster.namespace, statefulSetName);
  return await withKafka(deps, experiment, target, (reached) => use(reached, target));
}

/** A StatefulSet as a reference; TARGET_NOT_FOUND where it is missing. */
export async function readStatefulSet(
  kubernetes: KubernetesPort,
  namespace: string,
  name: string,
): Promise<StatefulSetRef> {
  const found = await kubernetes.read<StatefulSet>({
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    namespace,
    name,
  });
  if (!found?.metadata?.uid)
    throw problem('TARGET_NOT_FOUND', `StatefulSet ${namespace}/${name} does not exist`);
  return statefulSetRef(found, namespace);
}

/** The stream's topic needs as many brokers as it has replicas. */
export function checkReplication(experiment: ResolvedExperiment, brokers: number): void {
  const { replicationFactor } = experiment.liveness;
  if (replicationFactor <= brokers) return;
  throw problem(
    'REPLICATION_IMPOSSIBLE',
    `replication factor ${replicationFactor} needs more than ${brokers} brokers`,
    {
      evidence: ['liveness.replicationFactor'],
      next: `Use ${brokers} or less, or a larger Kafka.`,
    },
  );
}

/** A broker that dies is listed until its session has ended. ms */
const listedMs = 20_000;

/** Throws KAFKA_UNREACHABLE that names every broker which Kafka lists and which does not answer where it advertises to be. */
export async function checkReachable(
  kafka: Pick<KafkaPort, 'metadata' | 'metadataOfEach'>,
  signal: AbortSignal,
  patienceMs = listedMs,
): Promise<void> {
  let silent: Broker[] = [];
  const all = await poll(
    async () => {
      const { brokers } = await kafka.metadata({ timeoutMs: 5_000 });
      const answers = await kafka.metadataOfEach({ brokers, timeoutMs: 2_000 });
      silent = brokers.filter((broker) => !answers.get(addressOf(broker)));
      return silent.length === 0 ? true : undefined;
    },
    { everyMs: 500, until: Date.now() + patienceMs, signal },
  );
  if (all) return;
  const ids = silent.map(({ id }) => id).join(', ');
  throw problem('KAFKA_UNREACHABLE', `listed, but not to be reached: broker ${ids}`, {
    evidence: silent.map((broker) => `broker ${broker.id} advertises ${addressOf(broker)}`),
    next: 'Check advertised.listeners and the network; with reach: port-forward, where hosts are not those of pods, cluster.brokerPod.',
    retryable: true,
  });
}

/** What no run can do with the brokers that are there: not reach them, not find its target or not the pods. Throws as its parts do. */
export async function checkBrokers(
  kubernetes: KubernetesPort,
  experiment: ResolvedExperiment,
  kafka: Pick<KafkaPort, 'metadata' | 'metadataOfEach' | 'brokerConfig'>,
  statefulSet: StatefulSetRef,
  signal: AbortSignal,
): Promise<void> {
  await checkReachable(kafka, signal);
  await checkTarget(experiment, kafka, statefulSet.replicas);
  await checkMapped(kubernetes, experiment, kafka, statefulSet);
}

/**
 * Whether `provision` waits for what is amiss now, and checks it again: it does for a Kafka that it may make. One that it does not make
 * has to be there when a run begins.
 */
export function isWaitedFor(provisioner: Provisioner['name'], error: unknown): boolean {
  const { code, retryable } = problemOf(error);
  return provisioner === 'kudo' && retryable && (code === 'KAFKA_UNREACHABLE' || code === 'BROKER_UNMAPPED');
}

/** Throws INPUT_INVALID or TARGET_NOT_FOUND for a target that is none of the brokers. */
export async function checkTarget(
  { target }: Pick<ResolvedExperiment, 'target'>,
  kafka: Pick<KafkaPort, 'metadata' | 'brokerConfig'>,
  replicas: number,
): Promise<void> {
  if (target === 'controller') await checkController(kafka);
  if (typeof target === 'object' && 'broker' in target) await checkId(target.broker, kafka, replicas);
}

/** Brokers without ZooKeeper tell any of them as the controller, at each question another one. */
async function checkController(kafka: Pick<KafkaPort, 'metadata' | 'brokerConfig'>): Promise<void> {
  const [broker] = (await kafka.metadata()).brokers;
  // Where the settings may not be read, nothing is known against it.
  const settings = broker && (await kafka.brokerConfig(broker.id).catch(() => undefined));
  const roles = settings?.['process.roles'];
  if (!roles) return;
  throw problem('INPUT_INVALID', 'this Kafka (KRaft) does not tell clients which broker is its controller', {
    evidence: ['target: controller', `process.roles=${roles}`],
    next: 'Choose leader, follower, random or { broker: <id> }.',
  });
}

/** A broker that is down is not listed, and its id known to nobody: only of a whole Kafka it is sure that there is none. */
async function checkId(id: number, kafka: Pick<KafkaPort, 'metadata'>, replicas: number): Promise<void> {
  const ids = (await kafka.metadata()).brokers.map((broker) => broker.id).sort((a, b) => a - b);
  if (ids.length < replicas || ids.includes(id)) return;
  throw problem('TARGET_NOT_FOUND', `there is no broker ${id} in this Kafka`, {
    evidence: ['target.broker', `its brokers: ${ids.join(', ')}`],
    next: 'Name one of them in target.broker, which KAFKA_BROKER of a ChaosEngine is here.',
  });
}

/**
 * Every broker that the target may turn out to be must be tied to a pod, lest each kill waits for that in vain. Throws BROKER_UNMAPPED,
 * retryable while a pod may be away for a moment.
 */
export async function checkMapped(
  kubernetes: KubernetesPort,
  experiment: ResolvedExperiment,
  kafka: Pick<KafkaPort, 'metadata'>,
  statefulSet: StatefulSetRef,
): Promise<void> {
  const { target } = experiment;
  const { brokers } = await kafka.metadata();
  const pods = await brokerPods(kubernetes, statefulSet);
  if (typeof target === 'object' && 'pod' in target) {
    brokerOfPod(experiment, statefulSet, brokers, pods, target.pod);
    return;
  }
  const may = typeof target === 'object' ? brokers.filter(({ id }) => id === target.broker) : brokers;
  podsByBroker(experiment, statefulSet, may, pods);
}

/** A pod that is to be hit must be one of the StatefulSet's. Throws TARGET_NOT_FOUND. */
export function checkPod(
  { target }: Pick<ResolvedExperiment, 'target'>,
  { statefulSetName, pods }: Pick<Checked, 'statefulSetName' | 'pods'>,
): void {
  if (typeof target === 'string' || !('pod' in target) || !pods || pods.includes(target.pod)) return;
  throw problem('TARGET_NOT_FOUND', `pod ${target.pod} is none of StatefulSet ${statefulSetName}`, {
    evidence: ['target.pod', `its pods: ${pods.join(', ')}`],
    next: 'Name one of them in target.pod, which KAFKA_BROKER of a ChaosEngine is here.',
  });
}

/** A schedule does not add chaos to a cluster that is not well; a person who starts a run is there to see it. */
export async function checkHealth(kafka: Pick<KafkaPort, 'metadata'>, replicas: number): Promise<void> {
  const { brokers, partitions } = await kafka.metadata({ topics: 'all', timeoutMs: 5_000 });
  const name = ({ topic, partition }: Partition) => `${topic}-${partition}`;
  const offline = partitions.filter(({ leader }) => leader < 0).map(name);
  const behind = partitions.filter((one) => one.isr.length < one.replicas.length).map(name);
  const evidence = [
    ...(brokers.length < replicas ? [`${brokers.length} of ${replicas} brokers are in the metadata`] : []),
    ...(offline.length > 0 ? [`without a leader: ${some(offline)}`] : []),
    ...(behind.length > 0 ? [`not all replicas in sync: ${some(behind)}`] : []),
  ];
  if (evidence.length === 0) return;
  throw problem('CLUSTER_UNHEALTHY', `the Kafka is not well: ${evidence[0]}`, { evidence });
}

function some(names: string[]): string {
  const rest = names.length > 5 ? ` and ${names.length - 5} more` : '';
  return `${names.slice(0, 5).join(', ')}${rest}`;
}
