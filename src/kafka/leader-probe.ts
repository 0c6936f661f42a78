import type { Socket } from 'node:net';
import { brokerConnection } from './broker-connection.ts';
import { reader, writer } from './wire.ts';

const listOffsetsApiKey = 2;

/** v1 is the oldest that today's brokers know and the newest that a Kafka of 2016 knows (0.10.1 to 4.x). */
const listOffsetsVersion = 1;

/** Asks for the end of what readers may read (the high watermark). */
const latestTimestamp = -1n;

/** Kafka's error code UNKNOWN_TOPIC_OR_PARTITION. */
const unknownPartition = 3;

/** Where the correlation id stands: after length, API key and version. */
const correlationIdAt = 8;

/** One question that waits for its answer. */
export interface Question {
  /** By the clock given. */
  sentAt: number;
  partitions: readonly number[];
}

/** A held connection to one broker on which it is asked over and over which partitions it serves as their leader. */
export interface LeaderProbe {
  readonly open: boolean;
  /** Oldest first. A broker answers in order. */
  readonly waiting: readonly Question[];
  /** One request for all of these partitions. */
  send(partitions: readonly number[]): void;
  close(): void;
}

/** What a probe tells. */
export interface LeaderProbeOptions {
  clientId: string;
  topic: string;
  /** Monotonic, ms. */
  now: () => number;
  /** Kafka's error code of each partition that was asked for; 0: served. */
  onAnswer: (answer: { sentAt: number; errors: ReadonlyMap<number, number> }) => void;
  onEnd: () => void;
}

/**
 * Asks for partitions' end offsets over a connected socket. Only a partition's leader gives it, and a new leader only once those in
 * sync have followed it into its epoch. Whether replicas enough are in sync for a write it does not tell. Nothing is written.
 */
export function leaderProbe(socket: Socket, options: LeaderProbeOptions): LeaderProbe {
  const { clientId, topic, now, onAnswer, onEnd } = options;
  const connection = brokerConnection(socket, onEnd);
  const waiting: Question[] = [];
  /** The last request: the next one is mostly for the same partitions. */
  let last: { key: string; request: Buffer } = { key: '', request: Buffer.alloc(0) };

  function requestFor(partitions: readonly number[]): Buffer {
    const key = partitions.join();
    if (last.key !== key) last = { key, request: encodeListOffsetsRequest({ clientId, topic, partitions }) };
    return last.request;
  }

  return {
    waiting,
    get open() {
      return connection.open;
    },
    close: () => connection.close(),
    send(partitions) {
      const sentAt = now();
      const request = requestFor(partitions);
      waiting.push({ sentAt, partitions });
      const encode = (correlationId: number) => {
        const bytes = Buffer.from(request);
        bytes.writeInt32BE(correlationId, correlationIdAt);
        return bytes;
      };
      connection.send(encode, {
        answered(frame) {
          waiting.shift();
          const told = decodeListOffsetsErrors(frame);
          // A broker that does not name a partition does not know it.
          const errors = new Map(partitions.map((one) => [one, told.get(one) ?? unknownPartition]));
          onAnswer({ sentAt, errors });
        },
        ended: () => {},
      });
    },
  };
}

/** A ListOffsets request with its length prefix and correlation id 0. */
export function encodeListOffsetsRequest(options: {
  clientId: string;
  topic: string;
  partitions: readonly number[];
}): Buffer {
  const body = writer();
  body.int16(listOffsetsApiKey);
  body.int16(listOffsetsVersion);
  body.int32(0);
  body.string(options.clientId);
  body.int32(-1); // a client, not a replica
  body.int32(1);
  body.string(options.topic);
  body.int32(options.partitions.length);
  for (const partition of options.partitions) {
    body.int32(partition);
    body.int64(latestTimestamp);
  }
  return body.framed();
}

/** The error code of each partition in a ListOffsets response without its length prefix; 0 where it has an offset. */
export function decodeListOffsetsErrors(frame: Buffer): Map<number, number> {
  const read = reader(frame);
  read.int32(); // correlation id
  const topics = read.array(() => {
    read.string();
    return read.array((): [number, number] => {
      const partition = read.int32();
      const code = read.int16();
      read.int64(); // timestamp
      read.int64(); // offset
      return [partition, code];
    });
  });
  return new Map(topics.flat());
}
