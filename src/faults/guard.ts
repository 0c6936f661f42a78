import { targetName } from '../experiment/describe.ts';
import type { ResolvedExperiment } from '../experiment/spec.ts';
import type { ClusterMetadata, Partition } from '../kafka/port.ts';

type Allowed = ResolvedExperiment['guard']['allow'][number];

/**
 * Why a kill must wait, by Kafka's own metadata and not by pod readiness, whose probe delays alone eat an interval.
 * Empty: it may go ahead. Each reason is one short clause.
 */
export function guardReasons(
  metadata: ClusterMetadata,
  expectedBrokers: number[],
  allow: readonly Allowed[],
): string[] {
  const reasons: string[] = [];
  const partition = metadata.partitions[0];
  if (!partition) return ['the stream’s partition is not in the metadata'];
  if (partition.leader < 0) reasons.push('the partition has no leader');
  const missing = new Set(
    metadata.partitions.flatMap(({ replicas, isr }) => replicas.filter((id) => !isr.includes(id))),
  );
  if (missing.size > 0 && !allow.includes('under-replicated')) {
    reasons.push(`not in sync: broker ${[...missing].join(', ')}`);
  }
  const listed = new Set(metadata.brokers.map((broker) => broker.id));
  const down = expectedBrokers.filter((id) => !listed.has(id));
  if (down.length > 0 && !allow.includes('broker-down')) reasons.push(`down: broker ${down.join(', ')}`);
  return reasons;
}

/**
 * The broker that a kill would hit now, or why there is none.
 * `chance` in [0, 1) chooses among several; a follower is the first replica in sync that does not lead; `brokerOf` gives the broker
 * that runs in a pod.
 */
export function chooseBroker(
  target: ResolvedExperiment['target'],
  metadata: ClusterMetadata,
  chance: number,
  brokerOf: (pod: string) => number | undefined,
): { broker: number } | { reason: string } {
  const partition = metadata.partitions[0];
  if (typeof target === 'object') {
    const broker = 'pod' in target ? brokerOf(target.pod) : target.broker;
    return broker !== undefined && metadata.brokers.some(({ id }) => id === broker)
      ? { broker }
      : { reason: `${targetName(target)} is not in the metadata` };
  }
  switch (target) {
    case 'leader':
      return partition && partition.leader >= 0
        ? { broker: partition.leader }
        : { reason: 'the partition has no leader' };
    case 'controller':
      return metadata.controller >= 0
        ? { broker: metadata.controller }
        : { reason: 'no controller is known' };
    case 'follower': {
      const follower = partition?.isr.find((id) => id !== partition.leader);
      return follower === undefined ? { reason: 'no follower is in sync' } : { broker: follower };
    }
    case 'random': {
      const ids = metadata.brokers.map((broker) => broker.id).sort((a, b) => a - b);
      const broker = ids[Math.floor(chance * ids.length)];
      return broker === undefined ? { reason: 'no broker is in the metadata' } : { broker };
    }
  }
}

/** Whether the broker of a plan still is what the experiment wants hit; the reason where it is not. */
export function changed(
  target: ResolvedExperiment['target'],
  broker: number,
  metadata: ClusterMetadata,
): string | undefined {
  const partition: Partition | undefined = metadata.partitions[0];
  switch (target) {
    case 'leader':
      return partition?.leader === broker
        ? undefined
        : `leadership moved to ${partition?.leader ?? 'nobody'}`;
    case 'controller':
      return metadata.controller === broker ? undefined : `the controller moved to ${metadata.controller}`;
    case 'follower':
      return partition?.leader === broker ? `broker ${broker} leads now` : undefined;
    default:
      return undefined;
  }
}
