import { problem } from '../../src/experiment/errors.ts';
import { addressOf } from '../../src/kafka/metadata-pool.ts';
import type { ClusterMetadata, ConnectKafka, KafkaPort } from '../../src/kafka/port.ts';

/** A Kafka port to the simulated Kafka of the cluster at `url`; `*` in it stands for the namespace of the brokers' Service. */
export function stubKafka(url: string): ConnectKafka {
  return ({ bootstrap: [host = ''] }) => {
    const [, namespace = ''] = /\.([^.]+)\.svc\b/.exec(host) ?? [];
    return portTo(url.replace('*', namespace));
  };
}

function portTo(url: string): KafkaPort {
  async function ask<T>(method: keyof KafkaPort, argument?: unknown, timeoutMs = 2_000): Promise<T> {
    try {
      const response = await fetch(`${url}/kafka/${method}`, {
        method: 'POST',
        body: JSON.stringify([argument]),
        signal: AbortSignal.timeout(timeoutMs),
      });
      if (!response.ok) throw new Error(`HTTP ${response.status}`);
      return ((await response.json()) as { value: T }).value;
    } catch (cause) {
      throw problem('KAFKA_UNREACHABLE', `no broker answers ${method}`, { retryable: true, cause });
    }
  }
  const metadata: KafkaPort['metadata'] = (options) =>
    ask<ClusterMetadata>('metadata', options, options?.timeoutMs);
  const unused = async (): Promise<never> => {
    throw new Error('only the pod does that');
  };
  return {
    metadata,
    metadataOfEach: async (options) => {
      const look = await metadata(options).catch(() => undefined);
      const addresses = options?.brokers?.map(addressOf) ?? ['simulated'];
      return new Map(addresses.map((address) => [address, look]));
    },
    deleteTopic: (name) => ask('deleteTopic', name),
    brokerConfig: (broker) => ask('brokerConfig', broker),
    topicListed: (name) => ask('topicListed', name),
    minInsyncReplicas: async (topics) => new Map(topics.map((topic) => [topic, 2])),
    groups: () => ask('groups'),
    deleteGroup: (name) => ask('deleteGroup', name),
    ...{ createTopic: unused, purgeTopic: unused, endOffsets: unused },
    close: async () => {},
  };
}
