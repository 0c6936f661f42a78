import type { Socket } from 'node:net';

/** One broker as Kafka's metadata advertises it. */
export interface Broker {
  id: number;
  host: string;
  port: number;
}

/** One partition as Kafka's metadata shows it. */
export interface Partition {
  topic: string;
  partition: number;
  /** -1: no leader. */
  leader: number;
  /** -1: not observed (broker older than Metadata v7). */
  leaderEpoch: number;
  replicas: number[];
  isr: number[];
}

/** The cluster as one broker, or the freshest of several, shows it. */
export interface ClusterMetadata {
  /** Epoch ms of the answer. */
  at: number;
  clusterId: string | null;
  /** -1: none known. */
  controller: number;
  brokers: Broker[];
  partitions: Partition[];
}

/** Topics that metadata is asked for; `all` only where it is worth the size of the answer. */
export type Topics = string[] | 'all';

/**
 * Opens a byte stream to an advertised host and port: directly, or through the Kubernetes API; one that is secured is ready for
 * requests. Where `giveUp` aborts, the attempt may be ended.
 */
export interface Dial {
  (host: string, port: number, giveUp?: AbortSignal): Promise<Socket>;
  /** What TLS and SASL may take besides: whoever limits the time of a connection adds this. ms */
  readonly handshakeMs?: number;
}

/**
 * The narrow port to Kafka. Bootstraps from all given brokers and is never stuck on one of them.
 * Throws LeaderfallError KAFKA_UNREACHABLE (retryable) when no broker answers in time.
 */
export interface KafkaPort {
  /**
   * Asks every known broker at once on held connections and gives the freshest answer (highest leader epochs of the asked topics,
   * then the answer that lists most brokers, then the latest). Waits at most `timeoutMs` (1,000) for the first useful answer
   * and a short while for the others.
   */
  metadata(options?: { topics?: Topics; timeoutMs?: number }): Promise<ClusterMetadata>;
  /**
   * Each broker's own answer by host:port; undefined where it did not answer in time. All of them are asked where they were given;
   * `brokers` are asked at the addresses that they advertise instead.
   */
  metadataOfEach(options?: {
    topics?: Topics;
    timeoutMs?: number;
    brokers?: Broker[];
  }): Promise<Map<string, ClusterMetadata | undefined>>;
  /** 'exists' where it is there already. */
  createTopic(topic: {
    name: string;
    partitions: number;
    replicationFactor: number;
    config: Record<string, string>;
  }): Promise<'created' | 'exists'>;
  /** 'refused' where delete.topic.enable=false; 'not-found' where it was gone. */
  deleteTopic(name: string): Promise<'deleted' | 'not-found' | 'refused'>;
  /** Deletes all records of all partitions. */
  purgeTopic(name: string): Promise<void>;
  /** Broker settings by name, of one broker. */
  brokerConfig(broker: number): Promise<Record<string, string>>;
  /** Whether any broker that answers lists the topic: one whose replica is on a broker that is away outlives its deletion. */
  topicListed(name: string): Promise<boolean>;
  /** `min.insync.replicas` of each of the topics as the brokers apply it, whether set on the topic or not; not in it: not told. */
  minInsyncReplicas(topics: string[]): Promise<Map<string, number>>;
  /** Names of the consumer groups of all brokers. KAFKA_UNREACHABLE (retryable) while one of them cannot tell. */
  groups(): Promise<string[]>;
  /** 'in-use' while it has members; one that died without a word is taken for a member until its session ends. */
  deleteGroup(name: string): Promise<'deleted' | 'not-found' | 'in-use'>;
  /** Where each partition's log ends for a reader of committed records: its last stable offset. */
  endOffsets(topic: string): Promise<Map<number, bigint>>;
  close(): Promise<void>;
}

/** Makes a Kafka port. `bootstrap` as host:port; `dial` defaults to plain TCP. */
export type ConnectKafka = (options: { bootstrap: string[]; clientId: string; dial?: Dial }) => KafkaPort;
