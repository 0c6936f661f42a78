import kafkajs, { type Consumer, type Producer } from 'kafkajs';
import { type ClientOptions, kafkaClient } from './kafkajs.ts';

/** Within one cluster a broker that lives answers in a few milliseconds; one whose pod has gone never does. ms */
const connectTimeoutMs = 500;

/** One record as it was read. */
export interface ReadRecord {
  partition: number;
  offset: bigint;
  value: string;
}

/** Sends to partition 0 of one topic with acks=all. */
export interface RecordSender {
  /**
   * Resolves with the offset of the first record, the others behind it, when all in-sync replicas have them; -1 where the broker
   * did not say. Rejects when the outcome is unknown or they were refused.
   */
  send(values: string[]): Promise<number>;
  close(): Promise<void>;
}

/**
 * A producer that sends one batch at a time: with several in flight, a retried batch could overtake a later one, and what would
 * look like Kafka's reordering would be our own. Its own retries are off, so that one send is one attempt with a known outcome.
 */
export async function connectSender(options: ClientOptions & { topic: string }): Promise<RecordSender> {
  const retry = { retries: 0, initialRetryTime: 50, maxRetryTime: 200 };
  const kafka = kafkaClient({ connectTimeoutMs, ...options, retry });
  const producer: Producer = kafka.producer({
    allowAutoTopicCreation: false,
    maxInFlightRequests: 1,
    metadataMaxAge: 5_000,
  });
  await producer.connect();
  return {
    async send(values) {
      const answers = await producer.send({
        topic: options.topic,
        acks: -1,
        timeout: options.requestTimeoutMs ?? 5_000,
        compression: kafkajs.CompressionTypes.None,
        messages: values.map((value) => ({ value, partition: 0 })),
      });
      return Number(answers[0]?.baseOffset ?? -1);
    },
    close: () => producer.disconnect(),
  };
}

/** Reads one topic from its beginning as the only member of a group. */
export interface RecordReader {
  close(): Promise<void>;
}

/** Settings by which a reader finds a new leader or coordinator soon; times in ms. */
const readerSettings = {
  sessionTimeout: 10_000,
  rebalanceTimeout: 10_000,
  heartbeatInterval: 1_000,
  metadataMaxAge: 2_000,
  maxWaitTimeInMs: 100,
} as const;

/**
 * Starts reading. `onRecords` is called for each batch; `onPassed` when the reader has come to an offset, also where what lies before
 * it is nothing to be read; `onRejoined` before it may begin again at an earlier offset; `onCrash` when the library gave up by itself.
 */
export async function connectReader(
  options: ClientOptions & {
    topic: string;
    groupId: string;
    onRecords: (records: ReadRecord[]) => void;
    onPassed?: (partition: number, next: number) => void;
    onRejoined?: () => void;
    onCrash: (message: string) => void;
  },
): Promise<RecordReader> {
  // Few retries: giving up on a broker and asking anew who leads is quicker than waiting for it.
  const kafka = kafkaClient({
    connectTimeoutMs,
    ...options,
    retry: { initialRetryTime: 50, maxRetryTime: 200, retries: 2 },
  });
  const consumer: Consumer = kafka.consumer({
    groupId: options.groupId,
    allowAutoTopicCreation: false,
    ...readerSettings,
  });
  // A crash that the library recovers from by itself costs less than a new client with a new group.
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (!payload.restart) options.onCrash(payload.error.message);
  });
  consumer.on(consumer.events.GROUP_JOIN, () => options.onRejoined?.());
  consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) =>
    options.onPassed?.(payload.partition, Number(payload.lastOffset) + 1),
  );
  await consumer.connect();
  await consumer.subscribe({ topic: options.topic, fromBeginning: true });
  await consumer.run({
    autoCommitInterval: 5_000,
    eachBatchAutoResolve: true,
    eachBatch: async ({ batch }) => {
      options.onRecords(
        batch.messages.map(({ offset, value }) => ({
          partition: batch.partition,
          offset: BigInt(offset),
          value: value?.toString() ?? '',
        })),
      );
    },
  });
  return { close: () => consumer.disconnect() };
}
