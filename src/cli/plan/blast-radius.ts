import type { Broker, Partition } from '../../kafka/port.ts';

/** What one broker carries now. */
export interface BrokerLoad {
  id: number;
  host: string;
  controller: boolean;
  pod?: string;
  node?: string;
  leads: number;
  follows: number;
}

/** What a kill touches beyond the run's own topic. */
export interface BlastRadius {
  brokers: BrokerLoad[];
  topics: number;
  partitions: number;
  warnings: string[];
}

/** Most names that a warning lists. */
const shown = 5;

/** Counts what each broker carries, and names what would not survive its loss. */
export function blastRadius(
  brokers: readonly Broker[],
  controller: number,
  partitions: readonly Partition[],
  pods: ReadonlyMap<number, { name: string; node?: string }>,
): BlastRadius {
  const loads = brokers
    .map((broker): BrokerLoad => {
      const leads = partitions.filter((one) => one.leader === broker.id).length;
      const holds = partitions.filter((one) => one.replicas.includes(broker.id)).length;
      const pod = pods.get(broker.id);
      return {
        id: broker.id,
        host: broker.host,
        controller: broker.id === controller,
        ...(pod ? { pod: pod.name, ...(pod.node ? { node: pod.node } : {}) } : {}),
        leads,
        follows: holds - leads,
      };
    })
    .sort((a, b) => a.id - b.id);
  const single = partitions.filter((one) => one.replicas.length === 1);
  const behind = partitions.filter((one) => one.replicas.length > 1 && one.isr.length < one.replicas.length);
  const leaderless = partitions.filter((one) => one.leader < 0);
  const warnings = [
    ...warning(single, 'have one replica and are offline while their broker is'),
    ...warning(behind, 'are under-replicated already'),
    ...warning(leaderless, 'have no leader now'),
  ];
  const topics = new Set(partitions.map((one) => one.topic)).size;
  return { brokers: loads, topics, partitions: partitions.length, warnings };
}

function warning(found: readonly Partition[], what: string): string[] {
  if (found.length === 0) return [];
  const names = found.slice(0, shown).map((one) => `${one.topic}-${one.partition}`);
  const more = found.length > shown ? ` and ${found.length - shown} more` : '';
  return [`${found.length} partitions ${what}: ${names.join(', ')}${more}`];
}
