import { createRequire } from 'node:module';
import { createServer, type Socket } from 'node:net';
import { writer } from '../../src/kafka/wire.ts';

const kafkajs = createRequire(import.meta.url);
const { RecordBatch } = kafkajs('kafkajs/src/protocol/recordBatch/v0/index.js');
const Record = kafkajs('kafkajs/src/protocol/recordBatch/record/v0/index.js');
const Long = kafkajs('kafkajs/src/utils/long.js');

/** A log that several brokers know. */
export interface Log {
  batches: { next: number; bytes: Buffer }[];
  /** What readers may read ends here. */
  highWatermark: number;
  /** Appends records as kafkajs encodes them; they can be read at once unless `hidden`. */
  append(count: number, options?: { gzip?: boolean; hidden?: boolean }): Promise<void>;
}

/** An empty log. */
export function newLog(): Log {
  const log: Log = {
    batches: [],
    highWatermark: 0,
    async append(count, { gzip = false, hidden = false } = {}) {
      const from = log.batches.at(-1)?.next ?? 0;
      const records = await Promise.all(
        Array.from({ length: count }, (_, offsetDelta) =>
          Record({ offsetDelta, value: `record ${offsetDelta}` }),
        ),
      );
      const batch = await RecordBatch({
        firstOffset: Long.fromNumber(from),
        lastOffsetDelta: count - 1,
        compression: gzip ? 1 : 0,
        records,
      });
      log.batches.push({ next: from + count, bytes: batch.buffer as Buffer });
      if (!hidden) log.highWatermark = from + count;
    },
  };
  return log;
}

/** A broker that answers Fetch v4 for one partition. */
export interface LogBroker {
  address: string;
  /** Kafka's error code that it answers; 0: it leads. */
  error: number;
  /** Answers nothing while true, on whatever connection. */
  silent: boolean;
  /** Requests that came. */
  asked: number;
  /** Ends all connections. */
  cut(): void;
  close(): Promise<void>;
}

/** Starts such a broker on a free port of this machine. */
export async function logBroker(log: Log, error = 6): Promise<LogBroker> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    let received = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 4 && received.length >= 4 + received.readInt32BE(0)) {
        const request = received.subarray(4, 4 + received.readInt32BE(0));
        received = received.subarray(4 + request.length);
        broker.asked++;
        setTimeout(() => {
          if (!broker.silent && !socket.destroyed) socket.write(answerTo(request, broker.error, log));
        }, 1);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const broker: LogBroker = {
    address: `127.0.0.1:${(server.address() as { port: number }).port}`,
    error,
    silent: false,
    asked: 0,
    cut() {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    close() {
      broker.cut();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return broker;
}

/** A Fetch v4 response as a broker writes it. Unlike a real one it also gives what lies above the high watermark. */
function answerTo(request: Buffer, error: number, log: Log): Buffer {
  const clientId = request.readInt16BE(8);
  const topicAt = 10 + clientId + 21;
  const topic = request.toString('utf8', topicAt + 2, topicAt + 2 + request.readInt16BE(topicAt));
  const partitionAt = topicAt + 2 + topic.length + 4;
  const offset = Number(request.readBigInt64BE(partitionAt + 4));
  const end = log.batches.at(-1)?.next ?? 0;
  const found = error !== 0 ? error : offset > end ? 1 : 0;
  const most = request.readInt32BE(partitionAt + 12);
  const records = Buffer.concat(found === 0 ? batchesFrom(log, offset, most) : []);
  const answer = writer();
  answer.int32(request.readInt32BE(4));
  answer.int32(0);
  answer.int32(1);
  answer.string(topic);
  answer.int32(1);
  answer.int32(request.readInt32BE(partitionAt));
  answer.int16(found);
  answer.int64(BigInt(found === 0 ? log.highWatermark : -1));
  answer.int64(BigInt(log.highWatermark));
  answer.int32(-1);
  answer.int32(records.length);
  const head = answer.framed();
  head.writeInt32BE(head.length - 4 + records.length);
  return Buffer.concat([head, records]);
}

/** Whole batches, the first however large it is. */
function batchesFrom(log: Log, offset: number, most: number): Buffer[] {
  let size = 0;
  return log.batches
    .filter(({ next }) => next > offset)
    .filter(({ bytes }) => {
      const isFirst = size === 0;
      size += bytes.length;
      return isFirst || size <= most;
    })
    .map(({ bytes }) => bytes);
}
