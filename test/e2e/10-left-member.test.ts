import type { Socket } from 'node:net';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { connectReader, type RecordReader } from '../../src/kafka/streams.ts';
import { ensureKafka, openKafka, untilBrokers } from '../support/kafka.ts';
import { cluster } from '../support/testbed.ts';
import { dialPast, testbedBrokers } from '../truth/brokers.ts';

const topic = `left-member-${Date.now()}`;
const readers: RecordReader[] = [];

beforeAll(async () => {
  await ensureKafka();
  await untilBrokers(3);
  const kafka = await openKafka();
  await kafka.createTopic({ name: topic, partitions: 1, replicationFactor: 3, config: {} });
  return async () => {
    await kafka.deleteTopic(topic);
    await kafka.close();
  };
});

afterEach(() => Promise.all(readers.splice(0).map((reader) => reader.close())));

/** Makes a client a member of the group; gives what ends its connections, for good. */
async function join(groupId: string): Promise<() => void> {
  const brokers = await testbedBrokers(cluster);
  const dial = dialPast(brokers);
  const sockets: Socket[] = [];
  const joined = Promise.withResolvers<void>();
  let isCut = false;
  readers.push(
    await connectReader({
      ...{ bootstrap: brokers.bootstrap, topic, clientId: 'test', groupId },
      dial: async (...to) => {
        if (isCut) throw new Error('cut off');
        const socket = await dial(...to);
        sockets.push(socket);
        return socket;
      },
      onRecords: () => {},
      onRejoined: () => joined.resolve(),
      onCrash: (message) => joined.reject(new Error(message)),
    }),
  );
  await joined.promise;
  return () => {
    isCut = true;
    for (const socket of sockets) socket.destroy();
  };
}

test('a client joins its group before the session of the member ends that was left behind there', async () => {
  const groupId = `${topic}-group`;
  const cut = await join(groupId);
  cut();
  const cutAt = Date.now();
  await join(groupId);
  // The session takes 10 s from the last heartbeat, which is sent every second.
  expect(Date.now() - cutAt).toBeLessThan(8_000);
});
