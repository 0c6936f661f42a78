import type { Socket } from 'node:net';
import { brokerConnection } from './broker-connection.ts';
import { reader, writer } from './wire.ts';

const listOffsetsApiKey = 2;

/** v1 is the oldest that today's brokers know and the newest that a Kafka of 2016 knows (0.10.1 to 4.x). */
const listOffsetsVersion = 1;

/** Asks for the end of what readers may read (the high watermark). */
const latestTimestamp = -1n;

/** Where the correlation id stands: after length, API key and version. */
const correlationIdAt = 8;

/** A held connection to one broker on which it is asked over and over whether it serves the partition as its leader. */
export interface LeaderProbe {
  readonly open: boolean;
  /** When the probes that wait for an answer were sent, oldest first, by the clock given. A broker answers in order. */
  readonly waiting: readonly number[];
  send(): void;
  close(): void;
}

/** What a probe tells. */
export interface LeaderProbeOptions {
  clientId: string;
  topic: string;
  partition: number;
  /** Monotonic, ms. */
  now: () => number;
  /** Kafka's error code; 0: served. */
  onAnswer: (answer: { sentAt: number; error: number }) => void;
  onEnd: () => void;
}

/**
 * Asks for the partition's end offset over a connected socket. Only the leader gives it, and a new leader only once those in sync
 * have followed it into its epoch, which is also when a write with acks=all can succeed. Nothing is written.
 */
export function leaderProbe(socket: Socket, options: LeaderProbeOptions): LeaderProbe {
  const { clientId, topic, partition, now, onAnswer, onEnd } = options;
  const request = encodeListOffsetsRequest({ clientId, topic, partition });
  const connection = brokerConnection(socket, onEnd);
  const waiting: number[] = [];

  function encode(correlationId: number): Buffer {
    const bytes = Buffer.from(request);
    bytes.writeInt32BE(correlationId, correlationIdAt);
    return bytes;
  }

  return {
    waiting,
    get open() {
      return connection.open;
    },
    close: () => connection.close(),
    send() {
      const sentAt = now();
      waiting.push(sentAt);
      connection.send(encode, {
        answered(frame) {
          waiting.shift();
          onAnswer({ sentAt, error: decodeListOffsetsError(frame) });
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
  partition: number;
}): Buffer {
  const body = writer();
  body.int16(listOffsetsApiKey);
  body.int16(listOffsetsVersion);
  body.int32(0);
  body.string(options.clientId);
  body.int32(-1); // a client, not a replica
  body.int32(1);
  body.string(options.topic);
  body.int32(1);
  body.int32(options.partition);
  body.int64(latestTimestamp);
  return body.framed();
}

/** The error code of the first partition in a ListOffsets response without its length prefix; 0 where it has an offset. */
export function decodeListOffsetsError(frame: Buffer): number {
  const read = reader(frame);
  read.int32(); // correlation id
  const [error] = read.array(() => {
    read.string();
    return read.array(() => {
      read.int32(); // partition
      const code = read.int16();
      read.int64(); // timestamp
      read.int64(); // offset
      return code;
    });
  });
  // A broker that names no partition does not know it.
  return error?.[0] ?? 3;
}
