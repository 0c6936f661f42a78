import kafkajs, { type Producer, type RequestEvent } from 'kafkajs';
import { type ClientOptions, kafkaClient } from './kafkajs.ts';
import { ofOnePartition } from './one-partition.ts';

/** Within one cluster a broker that lives answers in a few milliseconds; one whose pod has gone never does. ms */
const connectTimeoutMs = 500;

/** From a failed request of an idempotent client to its repetition, give or take a fifth. ms */
const retryMs = 50;

/** One record to be sent. */
export interface RecordToSend {
  key?: string;
  value: Buffer;
}

/** How batches are sent, with Kafka's own defaults of a safe producer. */
export interface SenderOptions extends ClientOptions {
  topic: string;
  /** Default 0. */
  partition?: number;
  /** Default all. */
  acks?: 0 | 1 | 'all';
  /** Default false. A client whose send failed is spent then: its successor must be a new one. */
  idempotent?: boolean;
  /** Default none. */
  compression?: 'none' | 'gzip';
}

/** Sends to one partition. */
export interface RecordSender {
  /**
   * Resolves with the offset of the first record, the others behind it, when those have them that `acks` names; -1 where the broker
   * did not say. Rejects when the outcome is unknown or they were refused.
   */
  send(records: RecordToSend[]): Promise<number>;
  /** Requests that the client repeated by itself so far, and how long it waited before them, ms. */
  readonly repeated: { requests: number; waitedMs: number };
  close(): Promise<void>;
}

/**
 * A producer that sends one batch at a time: with several in flight, a retried batch could overtake a later one, and what would
 * look like Kafka's reordering would be our own. Its own retries are off, so that one send is one attempt with a known outcome;
 * kafkajs insists on one for an idempotent producer.
 */
export async function connectSender(options: SenderOptions): Promise<RecordSender> {
  const { topic, partition = 0, acks = 'all', idempotent = false, compression = 'none' } = options;
  const retry = { retries: idempotent ? 1 : 0, initialRetryTime: retryMs, maxRetryTime: 200 };
  const kafka = kafkaClient({ connectTimeoutMs, ...options, retry });
  const producer: Producer = kafka.producer({
    allowAutoTopicCreation: false,
    idempotent,
    maxInFlightRequests: 1,
    metadataMaxAge: 5_000,
  });
  const repeated = { requests: 0, waitedMs: 0 };
  let firstEndedAt: number | undefined;
  const onRequest = ({ payload }: Pick<RequestEvent, 'payload'>) => {
    if (payload.apiName !== 'Produce') return;
    if (firstEndedAt !== undefined) {
      repeated.requests++;
      repeated.waitedMs += Math.max(0, payload.createdAt - firstEndedAt);
    }
    firstEndedAt = Date.now();
  };
  producer.on(producer.events.REQUEST, onRequest);
  producer.on(producer.events.REQUEST_TIMEOUT, onRequest as () => void);
  await producer.connect();
  return {
    repeated,
    async send(records) {
      firstEndedAt = undefined;
      const answers = await producer.send({
        topic,
        acks: acks === 'all' ? -1 : acks,
        timeout: options.requestTimeoutMs ?? 5_000,
        compression: kafkajs.CompressionTypes[compression === 'gzip' ? 'GZIP' : 'None'],
        messages: ofOnePartition(records.map((record) => ({ ...record, partition }))),
      });
      return Number(answers[0]?.baseOffset ?? -1);
    },
    close: () => producer.disconnect(),
  };
}
