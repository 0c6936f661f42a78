import { problem } from '../experiment/errors.ts';
import type { StatefulSetRef } from '../experiment/result.ts';
import type { ResolvedExperiment } from '../experiment/spec.ts';
import type { KafkaPort, Partition } from '../kafka/port.ts';
import type { KubernetesObject, KubernetesPort } from '../kubernetes/port.ts';
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
  const found = await kubernetes.read<KubernetesObject & { spec?: { replicas?: number } }>({
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    namespace,
    name,
  });
  if (!found?.metadata?.uid)
    throw problem('TARGET_NOT_FOUND', `StatefulSet ${namespace}/${name} does not exist`);
  return { namespace, name, uid: found.metadata.uid, replicas: found.spec?.replicas ?? 1 };
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
