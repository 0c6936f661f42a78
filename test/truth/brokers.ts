import { connectKafka } from '../../src/kafka/connect-kafka.ts';
import { splitAddress } from '../../src/kafka/metadata-pool.ts';
import type { Dial } from '../../src/kafka/port.ts';
import { dialDirect } from '../../src/kafka/reach.ts';
import type { KubernetesPort } from '../../src/kubernetes/port.ts';
import type { Pod } from '../../src/kubernetes/workloads.ts';

/** Brokers by their advertised addresses, and where each can be reached from here. */
export interface Brokers {
  bootstrap: string[];
  /** host:port as advertised → host and port as reached. */
  reached: Map<string, { host: string; port: number }>;
}

/** Brokers that can be reached at the addresses that they advertise. */
export function directBrokers(bootstrap: string[]): Brokers {
  return { bootstrap, reached: new Map(bootstrap.map((address) => [address, splitAddress(address)])) };
}

/** The testbed's brokers: names that only the cluster resolves, pod addresses that this machine reaches. */
export async function testbedBrokers(kubernetes: KubernetesPort): Promise<Brokers> {
  const reached = new Map<string, { host: string; port: number }>();
  for (const name of ['kafka-kafka-0', 'kafka-kafka-1', 'kafka-kafka-2']) {
    const pod = await kubernetes.read<Pod>({ apiVersion: 'v1', kind: 'Pod', namespace: 'kafka', name });
    const { podIP } = (pod?.status ?? {}) as { podIP?: string };
    if (!podIP) throw new Error(`pod ${name} has no address`);
    reached.set(`${name}.kafka-svc.kafka.svc.cluster.local:9092`, { host: podIP, port: 9092 });
  }
  return { bootstrap: [...reached.keys()], reached };
}

/** What a broker of the testbed has written lately. */
export function logOfBroker(kubernetes: KubernetesPort, broker: number): Promise<string> {
  return kubernetes.podLogs({ namespace: 'kafka', name: `kafka-kafka-${broker}` }, 'k8skafka', 5_000);
}

/** Dials a broker as it is reached from here, without the proxy. */
export function dialPast(brokers: Brokers): Dial {
  return (host, port, giveUp) => {
    const reached = brokers.reached.get(`${host}:${port}`);
    return reached ? dialDirect(reached.host, reached.port, giveUp) : dialDirect(host, port, giveUp);
  };
}

/** Makes a topic with one partition on as many of the brokers as there are, up to three; gives the address of its leader. */
export async function makeTopic(brokers: Brokers, topic: string): Promise<string> {
  const kafka = connectKafka({ bootstrap: brokers.bootstrap, clientId: 'truth', dial: dialPast(brokers) });
  try {
    const replicationFactor = Math.min(3, brokers.bootstrap.length);
    await kafka.createTopic({ name: topic, partitions: 1, replicationFactor, config: {} });
    for (;;) {
      const { partitions, brokers: known } = await kafka.metadata({ topics: [topic] });
      const leader = known.find(({ id }) => id === partitions[0]?.leader);
      if (leader && partitions[0]?.isr.length === replicationFactor) return `${leader.host}:${leader.port}`;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  } finally {
    await kafka.close();
  }
}

/** Deletes it again. */
export async function removeTopic(brokers: Brokers, topic: string): Promise<void> {
  const kafka = connectKafka({ bootstrap: brokers.bootstrap, clientId: 'truth', dial: dialPast(brokers) });
  await kafka.deleteTopic(topic).finally(() => kafka.close());
}
