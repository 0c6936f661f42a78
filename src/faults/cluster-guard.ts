import type { ResolvedExperiment } from '../experiment/spec.ts';
import type { KafkaPort, Partition } from '../kafka/port.ts';

type Allowed = ResolvedExperiment['guard']['allow'][number];

/** Partitions that a reason names; the others are counted. */
const namedPartitions = 3;

/** What keeps a broker from being taken away. */
export interface Hold {
  /** With the word of `guard.allow` that lets it be, where there is one. */
  reason: string;
  /** All partitions that it is about, `<topic>-<number>`; empty where it is about none. */
  partitions: string[];
}

/** A hold as people and history are told of it: its partitions are counted, and the first ones named. */
export function holdText({ reason, partitions }: Hold): string {
  if (partitions.length === 0) return reason;
  const more = partitions.length > namedPartitions ? ', …' : '';
  const named = partitions.slice(0, namedPartitions).join(', ');
  return `${reason}: ${partitions.length} ${partitions.length === 1 ? 'partition' : 'partitions'} (${named}${more})`;
}

/** Kafka keeps the places of consumer groups in it: where a consumer runs and it is not listed, topics are hidden from us. */
const groupsTopic = '__consumer_offsets';

/** Whether topics may be hidden: an authorizer lists only those that the user may Describe. */
export function isPartial(partitions: readonly Partition[]): boolean {
  return !partitions.some(({ topic }) => topic === groupsTopic);
}

/**
 * Why the cluster as a whole cannot lose that broker now: partitions of any topic that are without a leader or would be, or with too
 * few replicas in sync for acks=all once it is gone, and topics that cannot be seen while a consumer runs. Empty: it can.
 * `minInsync` is what topics ask for (`min.insync.replicas`); what is not in it yet is asked and added.
 */
export async function clusterHolds(
  kafka: Pick<KafkaPort, 'metadata' | 'minInsyncReplicas'>,
  broker: number,
  allow: readonly Allowed[],
  minInsync: Map<string, number>,
): Promise<Hold[]> {
  const { partitions } = await kafka.metadata({ topics: 'all' });
  const held = partitions.filter(({ isr }) => isr.includes(broker));
  const unknown = new Set(held.map(({ topic }) => topic).filter((topic) => !minInsync.has(topic)));
  if (unknown.size > 0) {
    for (const [topic, least] of await kafka.minInsyncReplicas([...unknown])) minInsync.set(topic, least);
  }
  const offline = partitions.filter(({ leader }) => leader < 0);
  const last = held.filter(({ isr, replicas }) => isr.length === 1 && replicas.length > 1);
  const unsaid = held.filter(({ topic }) => !minInsync.has(topic));
  const hidden = isPartial(partitions) && !allow.includes('partial-view');
  const broken = held.flatMap((partition) => {
    const least = minInsync.get(partition.topic);
    if (least === undefined || last.includes(partition) || partition.isr.length > least) return [];
    return [{ partition, condition: conditionOf(partition, least) }];
  });
  const reasons = Map.groupBy(broken, ({ condition }) => condition);
  const about = (reason: string, those: Partition[]): Hold[] =>
    those.length > 0 ? [{ reason, partitions: namesOf(those) }] : [];
  return [
    ...about('offline', offline),
    ...about(`without broker ${broker} no replica in sync`, last),
    ...about('min.insync.replicas not known', unsaid),
    ...(hidden
      ? [
          {
            reason: `topics are hidden, ${groupsTopic} among them (guard.allow: partial-view)`,
            partitions: [],
          },
        ]
      : []),
    ...[...reasons]
      .filter(([condition]) => !allow.includes(condition))
      .flatMap(([condition, hit]) =>
        about(
          `without broker ${broker} below min.insync.replicas (guard.allow: ${condition})`,
          hit.map(({ partition }) => partition),
        ),
      ),
  ];
}

/** Why a partition cannot spare a replica. */
function conditionOf({ replicas }: Partition, least: number): Allowed {
  if (replicas.length === 1) return 'single-replica';
  return least >= replicas.length ? 'min-isr-equals-rf' : 'under-replicated';
}

function namesOf(partitions: Partition[]): string[] {
  return partitions.map(({ topic, partition }) => `${topic}-${partition}`).sort();
}
