import { createServer, type Socket } from 'node:net';
import { writer } from '../../src/kafka/wire.ts';

/**
 * A broker, id 0, that answers ListOffsets for any partitions of any topic and Metadata v7, in order, as it is told. It lists the
 * topic's second partition before the first, as a broker may.
 */
export interface LeaderBroker {
  address: string;
  /** Requests that came since the start. */
  readonly asked: number;
  /** Those for Metadata among them. */
  readonly askedForMetadata: number;
  /** Ids and ports of the brokers that it lists: itself. */
  brokers: { id: number; port: number }[];
  /** Of partition 0. 0: serves; 6: does not lead. */
  error: number;
  /** Of all other partitions. */
  errorOfOthers: number;
  /** The partitions that each ListOffsets request asked for, since it was last emptied. */
  questions: number[][];
  /** Gives the id that the next answer tells as the controller's. */
  controller: () => number;
  /** The topic's second partition. */
  second: { leader: number; replicas: number[]; isr: number[] };
  /** Holds answers back while true, and gives them all at once afterwards. */
  hold(held: boolean): void;
  /** Holds back no more. On the oldest connection what has piled up is answered one by one, on the others together after three of these. */
  releaseSlowly(everyMs: number): void;
  /** Ends all connections, and refuses new ones until `listen`. */
  cut(): Promise<void>;
  listen(): Promise<void>;
  /** Never answers on the connections that there are; serves new ones. */
  forgetConnections(): void;
}

const listOffsetsApiKey = 2;
const metadataApiKey = 3;

/** Starts such a broker on a free port of this machine. */
export async function leaderBroker(error = 0): Promise<LeaderBroker> {
  let sockets = new Set<Socket>();
  const heldBack = new Map<Socket, (() => void)[]>();
  let held = false;
  let asked = 0;
  let askedForMetadata = 0;
  let port = 0;
  const server = createServer((socket) => {
    const mine = sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => mine.delete(socket));
    let received = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 4 && received.length >= 4 + received.readInt32BE(0)) {
        const request = received.subarray(4, 4 + received.readInt32BE(0));
        received = received.subarray(4 + request.length);
        asked++;
        if (request.readInt16BE(0) === listOffsetsApiKey)
          broker.questions.push(partitionsOf(request).partitions);
        const metadata = request.readInt16BE(0) === metadataApiKey;
        if (metadata) askedForMetadata++;
        const answer = () => {
          if (mine !== sockets || socket.destroyed) return;
          socket.write(metadata ? metadataTo(request, broker) : offsetTo(request, broker));
        };
        // A broker answers in order on each connection.
        const before = heldBack.get(socket) ?? [];
        if (held || before.length > 0) heldBack.set(socket, [...before, answer]);
        else answer();
      }
    });
  });
  const listen = () =>
    new Promise<void>((resolve) =>
      server.listen(port, '127.0.0.1', () => {
        port = (server.address() as { port: number }).port;
        resolve();
      }),
    );
  await listen();
  const broker: LeaderBroker = {
    address: `127.0.0.1:${port}`,
    error,
    errorOfOthers: error,
    questions: [],
    controller: () => 0,
    second: { leader: 5, replicas: [5], isr: [5] },
    get asked() {
      return asked;
    },
    get askedForMetadata() {
      return askedForMetadata;
    },
    brokers: [{ id: 0, port }],
    hold(on) {
      held = on;
      if (on) return;
      for (const answer of [...heldBack.values()].flat()) answer();
      heldBack.clear();
    },
    releaseSlowly(everyMs) {
      held = false;
      const [oldest, ...others] = heldBack.keys();
      const answerNext = () => {
        const [answer, ...rest] = oldest ? (heldBack.get(oldest) ?? []) : [];
        if (!oldest || !answer) return;
        heldBack.set(oldest, rest);
        answer();
        setTimeout(answerNext, everyMs);
      };
      answerNext();
      setTimeout(() => {
        for (const socket of others) {
          for (const answer of heldBack.get(socket) ?? []) answer();
          heldBack.delete(socket);
        }
      }, 2.5 * everyMs);
    },
    cut() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.resetAndDestroy();
      return closed;
    },
    listen,
    forgetConnections() {
      sockets = new Set();
    },
  };
  return broker;
}

/** The topic of a ListOffsets v1 request and the partitions that it asks for. */
function partitionsOf(request: Buffer): { topic: string; partitions: number[] } {
  const topicAt = 10 + request.readInt16BE(8) + 4 + 4;
  const partitionsAt = topicAt + 2 + request.readInt16BE(topicAt);
  return {
    topic: request.toString('utf8', topicAt + 2, partitionsAt),
    // An id and a timestamp each.
    partitions: Array.from({ length: request.readInt32BE(partitionsAt) }, (_, index) =>
      request.readInt32BE(partitionsAt + 4 + index * 12),
    ),
  };
}

/** A ListOffsets v1 response as a Kafka 2.5 broker writes it. */
function offsetTo(request: Buffer, broker: LeaderBroker): Buffer {
  const { topic, partitions } = partitionsOf(request);
  const out = writer();
  out.int32(request.readInt32BE(4));
  out.int32(1);
  out.string(topic);
  out.int32(partitions.length);
  for (const partition of partitions) {
    const error = partition === 0 ? broker.error : broker.errorOfOthers;
    out.int32(partition);
    out.int16(error);
    out.int64(-1n);
    out.int64(error === 0 ? 7n : -1n);
  }
  return out.framed();
}

/** A Metadata v7 response: partition 0 is led by this broker, both are in their first epoch. */
function metadataTo(request: Buffer, { brokers, controller, second }: LeaderBroker): Buffer {
  const topicAt = 10 + request.readInt16BE(8) + 4;
  const topic = request.toString('utf8', topicAt + 2, topicAt + 2 + request.readInt16BE(topicAt));
  const out = writer();
  out.int32(request.readInt32BE(4));
  out.int32(0);
  out.int32(brokers.length);
  for (const { id, port } of brokers) {
    out.int32(id);
    out.string('127.0.0.1');
    out.int32(port);
    out.int16(-1);
  }
  out.string('cluster');
  out.int32(controller());
  out.int32(1);
  out.int16(0);
  out.string(topic);
  out.int8(0);
  out.int32(2);
  const first = { leader: 0, replicas: second.replicas.length > 1 ? second.replicas : [0] };
  for (const { partition, leader, replicas, isr } of [
    { partition: 1, ...second },
    { partition: 0, ...first, isr: first.replicas },
  ]) {
    out.int16(0);
    out.int32(partition);
    out.int32(leader);
    out.int32(0);
    for (const list of [replicas, isr, []]) {
      out.int32(list.length);
      for (const id of list) out.int32(id);
    }
  }
  return out.framed();
}
