import type { Consumer } from 'kafkajs';
import type { GroupRecorder } from './group-recorder.ts';
import { type ClientOptions, kafkaClient } from './kafkajs.ts';

/** Within one cluster a broker that lives answers in a few milliseconds; one whose pod has gone never does. ms */
const connectTimeoutMs = 500;

/**
 * The library reads one answer at a time: a broker that goes or comes keeps a request unanswered, and the stream with it, for this
 * long. Joining a group has a time-out of its own. ms
 */
const readTimeoutMs = 1_500;

/** A group commits where it stands as often as Kafka's own consumer does (`auto.commit.interval.ms`). */
const commitEveryMs = 5_000;

/** What a record without a value is read as. */
const noValue = Buffer.alloc(0);

/** One record as it was read. */
export interface ReadRecord {
  partition: number;
  offset: number;
  value: Buffer;
}

/** Reads one topic, from its beginning unless it was told where to begin, as the only member of a group. */
export interface RecordReader {
  close(): Promise<void>;
}

/**
 * Settings by which a reader finds a new leader or coordinator soon; times in ms. When a coordinator has died, kafkajs gives up and joins
 * anew as another member, while the new coordinator waits for the one that it knows: for no longer than the rebalance time-out.
 */
const readerSettings = {
  sessionTimeout: 10_000,
  rebalanceTimeout: 2_000,
  heartbeatInterval: 1_000,
  metadataMaxAge: 2_000,
  maxWaitTimeInMs: 100,
  // Of each broker: three times 10 MB, as kafkajs asks for by itself, come with copies of theirs to more than the container has.
  maxBytes: 2_097_152,
} as const;

/**
 * Starts reading at the offsets of `from`, in other partitions at their beginning. `onRecords` is called for each batch; `onPassed` when
 * the reader has come to an offset, also where what lies before it is nothing to be read; `onRejoined` before it may begin again at an
 * earlier offset; `onCrash` when the library gave up by itself.
 */
export async function connectReader(
  options: ClientOptions & {
    topic: string;
    groupId: string;
    group?: GroupRecorder;
    from?: ReadonlyMap<number, number>;
    onRecords: (records: ReadRecord[]) => void;
    onPassed?: (partition: number, next: number) => void;
    onRejoined?: () => void;
    onCrash: (message: string) => void;
  },
): Promise<RecordReader> {
  // Few retries: giving up on a broker and asking anew who leads is quicker than waiting for it.
  const kafka = kafkaClient({
    connectTimeoutMs,
    requestTimeoutMs: readTimeoutMs,
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
  const { topic } = options;
  /** Where it goes on. What it has committed lies some seconds behind. */
  const places = new Map(options.from);
  const seek = (partition: number, offset: number) =>
    consumer.seek({ topic, partition, offset: String(offset) });
  let triedAt = Date.now();
  consumer.on(consumer.events.GROUP_JOIN, () => {
    // kafkajs has forgotten where it was.
    for (const [partition, offset] of places) if (offset > 0) seek(partition, offset);
    options.onRejoined?.();
  });
  consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload: { partition, lastOffset } }) => {
    const next = Number(lastOffset) + 1;
    places.set(partition, next);
    options.onPassed?.(partition, next);
  });
  options.group?.follow(consumer);
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    // By itself kafkajs commits after each batch, dozens of times a second, and the stream waits for the coordinator each time.
    autoCommit: false,
    // Whenever it is asked to.
    autoCommitInterval: 0,
    eachBatchAutoResolve: true,
    eachBatch: async ({ batch, isStale, commitOffsetsIfNecessary }) => {
      // It waited for its turn while the client joined anew: what was sought then lies before it.
      if (isStale()) seek(batch.partition, Number(batch.lastOffset()) + 1);
      options.onRecords(
        batch.messages.map(({ offset, value }) => ({
          partition: batch.partition,
          offset: Number(offset),
          value: value ?? noValue,
        })),
      );
      if (Date.now() - triedAt < commitEveryMs) return;
      triedAt = Date.now();
      // Not waited for: where it failed, kafkajs would give the batch once more. That a coordinator has gone, its heartbeat tells.
      commitOffsetsIfNecessary().catch(() => {});
    },
  });
  return { close: () => consumer.disconnect() };
}
