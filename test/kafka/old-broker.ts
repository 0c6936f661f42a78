import { createServer, type Socket } from 'node:net';
import { writer } from '../../src/kafka/wire.ts';

/** A broker before 2.1: it answers Metadata v4 for one partition of any topic, ends the connection on v7, and is silent on all else. */
export interface OldBroker {
  address: string;
  /** Versions of Metadata that it was asked by. */
  asked: number[];
  /** What it knows: who leads, who is in sync, which brokers there are. -1: nobody. */
  leader: number;
  isr: number[];
  brokers: { id: number; address: string }[];
  close(): Promise<void>;
}

const metadataApiKey = 3;

/** Starts one on a free port of this machine. */
export async function oldBroker(): Promise<OldBroker> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (request) => {
      if (request.readInt16BE(4) !== metadataApiKey) return;
      const version = request.readInt16BE(6);
      broker.asked.push(version);
      if (version === 4) socket.write(metadataTo(request, broker));
      else socket.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = `127.0.0.1:${(server.address() as { port: number }).port}`;
  const broker: OldBroker = {
    ...{ address, asked: [], leader: 0, isr: [0], brokers: [{ id: 0, address }] },
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return broker;
}

/** A Metadata v4 response as a Kafka 1.1 broker writes it. */
function metadataTo(request: Buffer, { brokers, leader, isr }: OldBroker): Buffer {
  const topicAt = 10 + request.readInt16BE(12) + 4 + 4;
  const topic = request.toString('utf8', topicAt + 2, topicAt + 2 + request.readInt16BE(topicAt));
  const out = writer();
  out.int32(request.readInt32BE(8));
  out.int32(0);
  out.int32(brokers.length);
  for (const { id, address } of brokers) {
    out.int32(id);
    out.string('127.0.0.1');
    out.int32(Number(address.split(':')[1]));
    out.int16(-1);
  }
  out.string('cluster');
  out.int32(0);
  out.int32(1);
  out.int16(0);
  out.string(topic);
  out.int8(0);
  out.int32(1);
  out.int16(0);
  out.int32(0);
  out.int32(leader);
  for (const list of [brokers.map(({ id }) => id), isr]) {
    out.int32(list.length);
    for (const id of list) out.int32(id);
  }
  return out.framed();
}
