import type { Delivery } from '../experiment/anomalies.ts';
import type { PartitionOutage, PartitionOutages } from '../experiment/outage.ts';
import type {
  DirectReaderFigures,
  GroupFigures,
  MetadataFigures,
  ProducerOutages,
} from '../experiment/stream-figures.ts';
import type { Latency, SilenceEnd } from '../experiment/stream-report.ts';
import type { ReadReport } from './ledger/read-report.ts';
import type { SentReport } from './ledger/sent.ts';
import type { LeaderKnown } from './metadata-meter.ts';

/** Ports of the HTTP servers in the kafka-liveness pod, one a container. */
export const livenessPorts = { producer: 8081, consumer: 8082, observer: 8083 } as const;

/** GET /report of the producer, and its termination message (then without the ledger where it does not fit 4 KiB). */
export interface ProducerReport {
  role: 'producer';
  /** Epoch ms of this report, pod's clock. */
  now: number;
  startedAt: number;
  stopped: boolean;
  /** When it was told to stop, the first time; absent while it sends, and from an earlier image. */
  stoppedAt?: number;
  sent: number;
  acked: number;
  /** Sends that ended in an error after all retries: outcome unknown. */
  unknown: number;
  delivery: Delivery;
  /** Absent where it did not fit. */
  ledger?: SentReport;
  lastAckAt?: number;
  /** Longest time between two acks, ms, and when it began (epoch ms). */
  longestAckGapMs: number;
  longestAckGapAt?: number;
  /** Absent where it did not fit. */
  outages?: ProducerOutages;
  /** Acks in the last full second. */
  ackRate: number;
  sendToAck: Latency;
  /** Last error, name and message. */
  lastError?: string;
  /** Times the client was thrown away and built anew. */
  rebuilds: number;
}

/** GET /report of the consumer, and its termination message. */
export interface ConsumerReport {
  role: 'consumer';
  now: number;
  startedAt: number;
  received: number;
  /** Absent where it did not fit. */
  ledger?: ReadReport;
  lastReceivedAt?: number;
  longestSilenceMs: number;
  longestSilenceAt?: number;
  /** Records received in the last full second. */
  receiveRate: number;
  sendToReceive: Latency;
  /** Set by POST /close once the read reached the log's end. */
  drained: boolean;
  silence?: SilenceEnd;
  lastError?: string;
  rebuilds: number;
  group?: GroupFigures;
  /** What a reader without a group saw beside the client. */
  direct?: DirectReaderFigures;
}

/** One change that the observer saw; unchanged samples are not kept. */
export interface Observation {
  /** Epoch ms, pod's clock. */
  at: number;
  kind: 'leader' | 'isr' | 'controller' | 'broker-gone' | 'broker-back' | 'metadata-empty';
  /** leader, controller: broker id (-1 none); broker-*: broker id. */
  broker?: number;
  leaderEpoch?: number;
  /** Of the watched partition, without those that are out of sync in another one of the stream. */
  isr?: number[];
}

/** GET /report?since=<epoch ms> of the observer. */
export interface ObserverReport {
  role: 'observer';
  now: number;
  /** By how much this clock is ahead of that of the worker that asked, ms; added there. */
  aheadMs?: number;
  startedAt: number;
  /** Samples taken, and the longest time between two answers, ms. */
  samples: number;
  longestGapMs: number;
  /** Time between two questions to a leader while anything is amiss, ms; while all is well it is longer. */
  stepMs: number;
  current: {
    leader: number;
    leaderEpoch: number;
    isr: number[];
    replicas: number[];
    controller: number;
    brokers: number[];
  };
  observations: Observation[];
  /** Of all partitions of the stream, and of all the time. */
  metadata?: MetadataFigures;
  /** When leaders became known, since then. */
  leaders?: LeaderKnown[];
  /** Outages of the partitions since then; absent from a last word that would not fit. */
  outages?: PartitionOutage[];
  /** Those of all the time, summed up. */
  partitionOutages: PartitionOutages;
  /** Probes sent, the worst delay of one by the observer itself, and time in which it was too late to see anything, ms. */
  probes: { sent: number; worstLateMs: number; blindMs: number };
}

/** Environment of the containers; all values are strings. */
export interface LivenessEnvironment {
  LIVENESS_ROLE: 'topic' | 'producer' | 'consumer' | 'observer';
  LIVENESS_BOOTSTRAP: string;
  LIVENESS_TOPIC: string;
  LIVENESS_RUN_ID: string;
  LIVENESS_RATE: string;
  LIVENESS_STREAM: string;
  /** JSON: which credentials are mounted. */
  LIVENESS_SECURITY: string;
  LIVENESS_REPLICATION_FACTOR: string;
  LIVENESS_MIN_INSYNC_REPLICAS: string;
  LIVENESS_CONSUMER_TIMEOUT_MS: string;
  LIVENESS_PROBE_STEP_MS: string;
}
