import type { ProvisionedKafka } from '../experiment/result.ts';
import type { ResolvedExperiment } from '../experiment/spec.ts';
import { withoutHosts } from '../experiment/without-hosts.ts';
import { clusterHolds, type Hold, holdText } from '../faults/cluster-guard.ts';
import { type DisruptionBudget, disruptions, type Node, type Surroundings } from '../faults/disruption.ts';
import type { KafkaPort } from '../kafka/port.ts';
import type { KubernetesPort } from '../kubernetes/port.ts';
import type { Pod, StatefulSet } from '../kubernetes/workloads.ts';
import type { ActivityDependencies } from './dependencies.ts';

type Cluster = Pick<ActivityDependencies, 'kubernetes'>;

/** A broker that may be taken away. */
export interface Risked {
  broker: number;
  pod: Pod;
  /** All of the StatefulSet. */
  pods: Pod[];
  statefulSet: { namespace: string; name: string };
  allow: ResolvedExperiment['guard']['allow'];
  seesNodes: boolean;
}

/**
 * Why this broker is not to be taken away now though the stream could bear it: the rest of the cluster, and what others do to it.
 * `minInsync` is kept from one look to the next.
 */
export async function risksOf(...looked: Parameters<typeof holdsOf>): Promise<string[]> {
  return (await holdsOf(...looked)).map(holdText);
}

/** The same, with every partition that is at risk. */
export async function holdsOf(
  deps: Cluster,
  kafka: Pick<KafkaPort, 'metadata' | 'minInsyncReplicas'>,
  risked: Risked,
  minInsync: Map<string, number>,
): Promise<Hold[]> {
  const { broker, allow } = risked;
  const hold = (reason: string): Hold => ({ reason, partitions: [] });
  // What cannot be seen is not taken for safe.
  const unseen = (what: string) => (error: Error) => [
    hold(`${what} not known: ${withoutHosts(error.message)}`),
  ];
  const [cluster, others] = await Promise.all([
    clusterHolds(kafka, broker, allow, minInsync).catch(unseen('the cluster’s partitions are')),
    surroundingsOf(deps, risked).then(
      (around) => disruptions(around, allow, Date.now()).map(hold),
      unseen('what others do to the brokers is'),
    ),
  ]);
  return [...cluster, ...others];
}

/** For how long what topics ask for is taken to stay as it is. ms */
const rememberMs = 60_000;

const remembered = new WeakMap<KubernetesPort, Map<string, { at: number; minInsync: Map<string, number> }>>();

/** What is known of the topics of a Kafka (`min.insync.replicas`), on this worker, for a minute. */
export function minInsyncOf(
  { kubernetes }: Cluster,
  { statefulSet: { uid } }: Pick<ProvisionedKafka, 'statefulSet'>,
): Map<string, number> {
  const all = remembered.get(kubernetes) ?? new Map();
  remembered.set(kubernetes, all);
  const known = all.get(uid);
  if (known && Date.now() < known.at + rememberMs) return known.minInsync;
  const minInsync = new Map<string, number>();
  all.set(uid, { at: Date.now(), minInsync });
  return minInsync;
}

async function surroundingsOf({ kubernetes }: Cluster, risked: Risked): Promise<Surroundings> {
  const { pod: victim, pods, statefulSet: ref, seesNodes } = risked;
  const { namespace, name } = ref;
  const placed = new Set(pods.flatMap(({ spec }) => spec?.nodeName ?? []));
  const [statefulSet, budgets, ...nodes] = await Promise.all([
    kubernetes.read<StatefulSet>({ apiVersion: 'apps/v1', kind: 'StatefulSet', namespace, name }),
    kubernetes.list<DisruptionBudget>({ apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', namespace }),
    ...[...(seesNodes ? placed : [])].map((node) =>
      kubernetes.read<Node>({ apiVersion: 'v1', kind: 'Node', name: node }),
    ),
  ]);
  return {
    ...{ victim, pods, budgets: budgets.items, nodes: nodes.filter((node) => node !== undefined) },
    ...(statefulSet ? { statefulSet } : {}),
  };
}
