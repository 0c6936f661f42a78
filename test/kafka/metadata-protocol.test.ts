import { createServer, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { freshest, metadataPool, splitAddress } from '../../src/kafka/metadata-pool.ts';
import { decodeMetadataResponse, encodeMetadataRequest } from '../../src/kafka/metadata-protocol.ts';
import { knownVersion } from '../../src/kafka/metadata-version.ts';
import type { ClusterMetadata } from '../../src/kafka/port.ts';
import { dialDirect } from '../../src/kafka/reach.ts';
import { writer } from '../../src/kafka/wire.ts';
import { oldBroker } from './old-broker.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A Metadata v7 response as a Kafka 2.5 broker writes it: one topic, one partition unless said otherwise. */
function response(
  correlationId: number,
  options: { brokers: number[]; leader: number; epoch: number; port: number; partitions?: number[] },
): Buffer {
  const out = writer();
  out.int32(correlationId);
  out.int32(0);
  out.int32(options.brokers.length);
  for (const id of options.brokers) {
    out.int32(id);
    out.string('127.0.0.1');
    out.int32(options.port);
    out.int16(-1);
  }
  out.string('cluster');
  out.int32(options.brokers[0] ?? -1);
  out.int32(1);
  out.int16(0);
  out.string('stream');
  out.int8(0);
  const { partitions = [0] } = options;
  out.int32(partitions.length);
  for (const partition of partitions) {
    out.int16(0);
    out.int32(partition);
    out.int32(options.leader);
    out.int32(options.epoch);
    for (const list of [[0, 1, 2], [0, 1], [2]]) {
      out.int32(list.length);
      for (const id of list) out.int32(id);
    }
  }
  const body = out.done();
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length);
  return Buffer.concat([length, body]);
}

/** A broker that answers every request after `delayMs`, in two pieces, as a network may deliver it. */
async function fakeBroker(options: {
  brokers: number[];
  leader: number;
  epoch: number;
  delayMs?: number;
}): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('data', (request) => {
      const { port } = server.address() as { port: number };
      const answer = response(request.readInt32BE(8), { ...options, port });
      setTimeout(() => {
        socket.write(answer.subarray(0, 7));
        setImmediate(() => socket.write(answer.subarray(7)));
      }, options.delayMs ?? 0);
    });
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `127.0.0.1:${(server.address() as { port: number }).port}`;
}

function pool(bootstrap: string[], onEnd?: (address: string) => void) {
  const made = metadataPool({ bootstrap, clientId: 'test', dial: dialDirect, ...(onEnd ? { onEnd } : {}) });
  closers.push(() => made.close());
  return made;
}

test('a request carries version, correlation id and topic, and never creates topics', () => {
  const bytes = encodeMetadataRequest(7, 5, 'me', ['stream']);
  expect(bytes.readInt32BE(0)).toBe(bytes.length - 4);
  expect([bytes.readInt16BE(4), bytes.readInt16BE(6), bytes.readInt32BE(8)]).toEqual([3, 7, 5]);
  expect(bytes.subarray(-7, -1).toString()).toBe('stream');
  expect(bytes.at(-1)).toBe(0);
});

test('a response gives leader, epoch, replicas and ISR', () => {
  const { correlationId, answer } = decodeMetadataResponse(
    7,
    response(9, { brokers: [0, 1], leader: 1, epoch: 4, port: 1 }).subarray(4),
  );
  expect(correlationId).toBe(9);
  expect(answer.partitions).toEqual([
    { topic: 'stream', partition: 0, leader: 1, leaderEpoch: 4, replicas: [0, 1, 2], isr: [0, 1] },
  ]);
  expect(answer.brokers.map(({ id }) => id)).toEqual([0, 1]);
});

test('partitions are in their order, whatever the broker’s is: partition 0 is the one that targets are asked of', () => {
  const bytes = response(9, { brokers: [0], leader: 0, epoch: 1, port: 1, partitions: [2, 0, 1] }).subarray(
    4,
  );
  const { partitions } = decodeMetadataResponse(7, bytes).answer;
  expect(partitions.map(({ partition }) => partition)).toEqual([0, 1, 2]);
});

test('the answer with the highest leader epoch wins over a stale one that lists more brokers', async () => {
  const stale = await fakeBroker({ brokers: [0, 1, 2], leader: 0, epoch: 1 });
  const fresh = await fakeBroker({ brokers: [1, 2], leader: 1, epoch: 2, delayMs: 20 });
  const answer = await pool([stale, fresh]).askFreshest(['stream'], 1_000);
  expect(answer?.partitions[0]?.leader).toBe(1);
});

test('an empty broker list never wins, and is visible in that broker’s own answer', async () => {
  const rejoined = await fakeBroker({ brokers: [], leader: 0, epoch: 9 });
  const other = await fakeBroker({ brokers: [1, 2], leader: 1, epoch: 2, delayMs: 20 });
  const asked = pool([rejoined, other]);
  expect((await asked.askFreshest(['stream'], 1_000))?.partitions[0]?.leader).toBe(1);
  expect((await asked.askEach(['stream'], 1_000)).get(rejoined)?.brokers).toEqual([]);
});

test('a broker that does not answer does not keep the others’ answer back', async () => {
  const silent = await fakeBroker({ brokers: [0], leader: 0, epoch: 1, delayMs: 30_000 });
  const other = await fakeBroker({ brokers: [1, 2], leader: 1, epoch: 2 });
  const answer = await pool([silent, other]).askFreshest(['stream'], 20_000);
  expect(answer?.partitions[0]?.leader).toBe(1);
});

test('nobody answers: undefined', async () => {
  expect(await pool(['127.0.0.1:1']).askFreshest(['stream'], 300)).toBeUndefined();
});

test('a held connection that ends is reported with its address', async () => {
  const ends: string[] = [];
  const address = await fakeBroker({ brokers: [0], leader: 0, epoch: 1 });
  await pool([address], (ended) => ends.push(ended)).askFreshest(['stream'], 1_000);
  for (const close of closers.splice(0, 1)) close();
  await expect.poll(() => ends).toEqual([address]);
});

test('freshest prefers the epoch, then the number of brokers, then the time', () => {
  const answer = (epoch: number, brokers: number, at: number): ClusterMetadata => ({
    at,
    clusterId: null,
    controller: 0,
    brokers: Array.from({ length: brokers }, (_, id) => ({ id, host: '', port: 1 })),
    partitions: [{ topic: 't', partition: 0, leader: 0, leaderEpoch: epoch, replicas: [], isr: [] }],
  });
  expect(freshest([answer(1, 3, 9), answer(2, 1, 1)])?.at).toBe(1);
  expect(freshest([answer(2, 1, 9), answer(2, 3, 1)])?.at).toBe(1);
  expect(freshest([answer(2, 3, 1), answer(2, 3, 9)])?.at).toBe(9);
  expect(freshest([])).toBeUndefined();
});

test('of several partitions each counts: one that has seen many leaders hides no change of another', () => {
  const answer = (epochs: number[], at: number): ClusterMetadata => ({
    ...{ at, clusterId: null, controller: 0, brokers: [] },
    partitions: epochs.map((leaderEpoch, partition) => ({
      ...{ topic: 't', partition, leader: 0, leaderEpoch },
      ...{ replicas: [], isr: [] },
    })),
  });
  expect(freshest([answer([4, 9], 1), answer([3, 9], 2)])?.at).toBe(1);
});

test('an address may be IPv6', () => {
  expect(splitAddress('fd00::1:9092')).toEqual({ host: 'fd00::1', port: 9092 });
});

test('a broker that does not know v7 is asked by v4, and always from then on', async () => {
  const old = await oldBroker();
  closers.push(() => void old.close());
  const asked = pool([old.address]);
  const answers = async () => (await asked.askEach(['stream'], 1_000)).get(old.address)?.partitions;
  expect(await answers()).toBeUndefined();
  expect(await answers()).toMatchObject([{ leader: 0, leaderEpoch: -1, isr: [0] }]);
  await answers();
  expect(old.asked).toEqual([7, 4, 4]);
});

test('a broker is asked by v4 only where it ended the connection on v7 at once, and by v7 again where v4 fails as well', () => {
  const known = knownVersion();
  const after = (...failed: Parameters<typeof known.failed>) => {
    known.failed(...failed);
    return known.version;
  };
  expect([after(7), after(7, 2_000), after(7, 20)]).toEqual([7, 7, 4]);
  // Two questions on one connection fail together.
  expect(after(7, 20)).toBe(4);
  expect([after(4, 20), after(7, 20), after(4)]).toEqual([7, 4, 7]);
  known.answered(7);
  expect([known.known, after(7, 20)]).toEqual([true, 7]);
});
