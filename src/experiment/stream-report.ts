import type { Anomaly, Delivery } from './anomalies.ts';
import type { PartitionOutages } from './outage.ts';
import type { DirectReaderFigures, GroupFigures, MetadataFigures, ProducerOutage } from './stream-figures.ts';

/** Latency figures in milliseconds. */
export interface Latency {
  p50: number;
  p99: number;
  max: number;
  count: number;
}

/** What the stream showed. Absent = not observed. */
export interface StreamReport {
  acked: number;
  received: number;
  /** Acked and not read by the end of the closing read. */
  lost: number;
  lostExamples: number[];
  duplicated: number;
  outOfOrder: number;
  /** Sends whose outcome stayed unknown. */
  unknown: number;
  /** Longest silence at the consumer, ms, and when it began (RFC 3339). */
  longestSilenceMs: number;
  longestSilenceAt?: string;
  /** Longest time without an ack at the producer, ms. */
  longestAckGapMs: number;
  sendToAck?: Latency;
  sendToReceive?: Latency;
  /** Times in which the producer got no ack though records were due. `totalMs` is of the partition that had most, `worst`. */
  producerOutage?: { count: number; maxMs: number; totalMs: number; worst?: number };
  /** The longest of them, in the order of time, with what they were made of. */
  producerOutages?: ProducerOutage[];
  metadata?: MetadataFigures;
  group?: GroupFigures;
  directReader?: DirectReaderFigures;
  faultWindows?: FaultWindows;
  /** Times of its outages by the worker's clock. */
  partitionOutages?: PartitionOutages;
  /** Every kind of anomaly that the ledger found, worst first; absent in runs of earlier versions. */
  anomalies?: Anomaly[];
  /** How records were sent and kept: decides which anomaly is within the promise. */
  delivery?: Delivery;
  /** Closing read reached the end of the log. */
  drained: boolean;
  producer: ContainerEnd;
  consumer: ContainerEnd;
  observer: ContainerEnd;
  /** Consumer ended by its own silence time-out, and what a fresh client then saw. */
  silence?: SilenceEnd;
  notes: string[];
}

/** The stream while a fault could be felt, from each kill's request to the full ISR, beside the stream at all other times. */
export interface FaultWindows {
  count: number;
  /** Their length together, ms. */
  totalMs: number;
  /**
   * Send to receive, of the records that were due in a second of a window, and of all others since the stream was steady. One whose
   * send failed counts with the time until its partition took records again.
   */
  inside?: Latency;
  outside?: Latency;
  /** Records among them whose send failed; absent: none, or an earlier image, whose latencies are without them. */
  unsent?: number;
  /** Acks that the worst second of the windows lost against the median of all other seconds, %. */
  throughputDipPercent?: number;
}

/** What a fresh client saw right after the consumer's silence time-out. */
export interface SilenceEnd {
  /** RFC 3339. */
  at: string;
  /** Milliseconds of silence. */
  silentMs: number;
  confirmed: 'outage' | 'stuck-client' | 'not-observed';
  /** One fact a line: leader seen, probe record's error, log end moved … */
  evidence: string[];
}

/** Exit code of a consumer that gave up after its silence time-out. */
export const silenceExitCode = 3;

/** State of one container of the liveness pod at the end. */
export interface ContainerEnd {
  state: 'running' | 'terminated' | 'missing';
  exitCode?: number;
  reason?: string;
}

/** How each container of the liveness pod ended. */
export interface ContainerEnds {
  producer: ContainerEnd;
  consumer: ContainerEnd;
  observer: ContainerEnd;
}
