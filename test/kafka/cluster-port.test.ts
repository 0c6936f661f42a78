import { createServer, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { connectKafka } from '../../src/kafka/connect-kafka.ts';
import type { KafkaPort } from '../../src/kafka/port.ts';
import { writer } from '../../src/kafka/wire.ts';

/** What one broker of the cluster knows. */
interface Knowledge {
  /** Brokers that it lists: one that has just come back lists nobody. */
  listed: number[];
  topics: string[];
  groups: string[];
  /** Kafka's error code for the list of groups. */
  groupsError?: number;
  /** So many of its first requests are never answered. */
  unanswered?: number;
}

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** Brokers that answer Metadata v7 and ListGroups v0 with what each of them knows, and a port to all of them. */
async function clusterOf(...knowledge: Knowledge[]): Promise<KafkaPort> {
  return await clusterAt('127.0.0.1', ...knowledge);
}

/** The same, asked first at another host than the one that they advertise. */
async function clusterAt(host: string, ...knowledge: Knowledge[]): Promise<KafkaPort> {
  const ports: number[] = [];
  for (const known of knowledge) ports.push(await brokerOf(known, ports));
  const port = connectKafka({ bootstrap: ports.map((one) => `${host}:${one}`), clientId: 'test' });
  closers.push(() => void port.close());
  return port;
}

async function brokerOf(known: Knowledge, ports: number[]): Promise<number> {
  const sockets = new Set<Socket>();
  let { unanswered = 0 } = known;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (request: Buffer) => {
      if (unanswered-- > 0) return;
      const id = request.readInt32BE(8);
      socket.write(
        request.readInt16BE(4) === 16 ? groupsAnswer(known, id) : metadataAnswer(known, id, ports),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as { port: number }).port;
}

function groupsAnswer({ groups, groupsError = 0 }: Knowledge, id: number): Buffer {
  const out = writer();
  out.int32(id);
  out.int16(groupsError);
  out.int32(groups.length);
  for (const group of groups) {
    out.string(group);
    out.string('consumer');
  }
  return out.framed();
}

function metadataAnswer({ listed, topics }: Knowledge, id: number, ports: number[]): Buffer {
  const out = writer();
  out.int32(id);
  out.int32(0);
  out.int32(listed.length);
  for (const broker of listed) {
    out.int32(broker);
    out.string('127.0.0.1');
    out.int32(ports[broker] ?? 0);
    out.int16(-1);
  }
  out.string('cluster');
  out.int32(0);
  out.int32(topics.length);
  for (const topic of topics) {
    out.int16(0);
    out.string(topic);
    out.int8(0);
    out.int32(1);
    out.int16(0);
    // Partition, leader, epoch; nobody in the lists of replicas, in sync and offline.
    for (const number of [0, 0, 0, 0, 0, 0]) out.int32(number);
  }
  return out.framed();
}

const whole = { listed: [0, 1], topics: [], groups: [] };

test('the groups are those of every broker, whichever of them lists nobody', async () => {
  const kafka = await clusterOf({ ...whole, groups: ['of-0'] }, { listed: [], topics: [], groups: ['of-1'] });
  expect((await kafka.groups()).sort()).toEqual(['of-0', 'of-1']);
});

test('groups are asked of brokers where they advertise to be, which need not be where they were found', async () => {
  const brokers = [
    { ...whole, groups: ['of-0'] },
    { ...whole, groups: ['of-1'] },
  ];
  expect((await (await clusterAt('localhost', ...brokers)).groups()).sort()).toEqual(['of-0', 'of-1']);
  const hidden = await clusterAt('localhost', { ...whole, groups: ['of-0'] }, { ...whole, groupsError: 14 });
  await expect(hidden.groups()).rejects.toMatchObject({ problem: { code: 'KAFKA_UNREACHABLE' } });
});

test('while a broker still reads its groups nobody knows them all: the question is asked again', async () => {
  const kafka = await clusterOf({ ...whole, groups: ['of-0'] }, { ...whole, groupsError: 14 });
  await expect(kafka.groups()).rejects.toMatchObject({
    problem: { code: 'KAFKA_UNREACHABLE', retryable: true, message: expect.stringContaining('broker 1') },
  });
});

test('a topic is listed as long as one broker lists it', async () => {
  const kafka = await clusterOf(whole, { ...whole, topics: ['stream'] });
  expect(await kafka.topicListed('stream')).toBe(true);
  const without = await clusterOf(whole, whole);
  expect(await without.topicListed('stream')).toBe(false);
});

test('a topic is not gone because nobody answers at first', async () => {
  const kafka = await clusterOf({ ...whole, listed: [0], topics: ['stream'], unanswered: 1 });
  expect(await kafka.topicListed('stream')).toBe(true);
});
