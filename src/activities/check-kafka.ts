import { problem } from '../experiment/errors.ts';
import type { StatefulSetRef } from '../experiment/result.ts';
import type { ResolvedExperiment } from '../experiment/spec.ts';
import { addressOf } from '../kafka/metadata-pool.ts';
import type { Broker, KafkaPort, Partition } from '../kafka/port.ts';
import type { KubernetesPort } from '../kubernetes/port.ts';
import { poll } from '../kubernetes/wait.ts';
import { type StatefulSet, statefulSetRef } from '../kubernetes/workloads.ts';
import type { Checked } from '../provisioners/provisioner.ts';
import { type ReachedKafka, withKafka } from './brokers.ts';
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

/** Brokers without ZooKeeper tell any of them as the controller, at each question another one. Throws INPUT_INVALID. */
export async function checkTarget(
  { target }: Pick<ResolvedExperiment, 'target'>,
  kafka: Pick<KafkaPort, 'metadata' | 'brokerConfig'>,
): Promise<void> {
  if (target !== 'controller') return;
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
