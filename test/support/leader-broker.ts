import { createServer, type Socket } from 'node:net';
import { writer } from '../../src/kafka/wire.ts';

/** A broker that answers ListOffsets for partition 0 of any topic, in order, as it is told. */
export interface LeaderBroker {
  address: string;
  /** Requests that came since the start. */
  readonly asked: number;
  /** 0: serves; 6: does not lead. */
  error: number;
  /** Holds answers back while true, and gives them all at once afterwards. */
  hold(held: boolean): void;
  /** Ends all connections, and refuses new ones until `listen`. */
  cut(): Promise<void>;
  listen(): Promise<void>;
  /** Never answers on the connections that there are; serves new ones. */
  forgetConnections(): void;
}

/** Starts such a broker on a free port of this machine. */
export async function leaderBroker(error = 0): Promise<LeaderBroker> {
  let sockets = new Set<Socket>();
  let heldBack: (() => void)[] = [];
  let held = false;
  let asked = 0;
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
        const answer = () => {
          if (mine === sockets && !socket.destroyed) socket.write(answerTo(request, broker.error));
        };
        if (held) heldBack.push(answer);
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
    get asked() {
      return asked;
    },
    hold(on) {
      held = on;
      if (on) return;
      for (const answer of heldBack) answer();
      heldBack = [];
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

/** A ListOffsets v1 response as a Kafka 2.5 broker writes it. */
function answerTo(request: Buffer, error: number): Buffer {
  const clientIdLength = request.readInt16BE(8);
  const topicAt = 10 + clientIdLength + 4 + 4;
  const topic = request.toString('utf8', topicAt + 2, topicAt + 2 + request.readInt16BE(topicAt));
  const out = writer();
  out.int32(request.readInt32BE(4));
  out.int32(1);
  out.string(topic);
  out.int32(1);
  out.int32(0);
  out.int16(error);
  out.int64(-1n);
  out.int64(error === 0 ? 7n : -1n);
  return out.framed();
}
