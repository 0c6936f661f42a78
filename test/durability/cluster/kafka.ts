import type { ClusterMetadata } from '../../../src/kafka/port.ts';
import type { Observation } from '../../../src/liveness/protocol.ts';

/** Brokers of the simulated Kafka, which is also the order in which leadership goes round. */
export const brokers = [0, 1, 2];

/** Three brokers whose topics all have one partition with one and the same leader. */
export interface SimulatedKafka {
  topics: Set<string>;
  /** Consumer groups and how many members they have. */
  groups: Map<string, number>;
  observations: Observation[];
  /** The broker hands over its leadership, leaves the ISR and is gone. */
  goes(broker: number): void;
  comes(broker: number): void;
  metadata(topics: string[] | 'all' | undefined): ClusterMetadata;
}

/** Makes one that is whole; `host` is the advertised host of a broker. */
export function simulatedKafka(host: (broker: number) => string): SimulatedKafka {
  let up = [...brokers];
  let isr = [...brokers];
  let leader = 0;
  let leaderEpoch = 0;
  const note = (observation: Omit<Observation, 'at'>) => {
    kafka.observations.push({ at: Date.now(), ...observation });
  };
  const kafka: SimulatedKafka = {
    topics: new Set(),
    groups: new Map(),
    observations: [],
    goes: (broker) => {
      isr = isr.filter((one) => one !== broker);
      up = up.filter((one) => one !== broker);
      if (broker === leader) {
        leader = isr.find((one) => one > broker) ?? isr[0] ?? -1;
        leaderEpoch++;
        note({ kind: 'leader', broker: leader, leaderEpoch });
      }
      note({ kind: 'isr', isr });
      note({ kind: 'broker-gone', broker });
    },
    comes: (broker) => {
      if (up.includes(broker)) return;
      up = [...up, broker].sort();
      isr = [...isr, broker].sort();
      note({ kind: 'broker-back', broker });
      note({ kind: 'isr', isr });
    },
    metadata: (topics) => ({
      at: Date.now(),
      clusterId: 'simulated',
      controller: up[0] ?? -1,
      brokers: up.map((id) => ({ id, host: host(id), port: 9092 })),
      partitions: (topics === 'all' ? ['__consumer_offsets', ...kafka.topics] : (topics ?? [])).map(
        (topic) => ({
          ...{ topic, partition: 0, leader, leaderEpoch, isr },
          replicas: brokers,
        }),
      ),
    }),
  };
  return kafka;
}
