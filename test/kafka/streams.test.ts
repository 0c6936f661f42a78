import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { connectReader, type RecordReader } from '../../src/kafka/streams.ts';
import { type GroupCluster, groupCluster } from './group-cluster.ts';

const at = vi.hoisted(() => ({ cluster: undefined as unknown }));

vi.mock('../../src/kafka/kafkajs.ts', () => ({ kafkaClient: () => (at.cluster as GroupCluster).client }));

let cluster: GroupCluster;
let reader: RecordReader | undefined;
/** Offsets of each partition, in the order in which they were read. */
let read: Map<number, number[]>;
let joins = 0;

beforeEach(() => {
  cluster = groupCluster('stream');
  at.cluster = cluster;
  read = new Map();
  joins = 0;
});

afterEach(async () => {
  vi.useRealTimers();
  await reader?.close();
});

/** Of the clock alone: what waits goes on waiting. */
function passTime(ms: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + ms });
}

/** A log of so many records, led by one of the brokers. */
function log(partition: number, end: number, leader = 0): void {
  cluster.partitions.set(partition, { leader, end });
}

async function start(from: Record<number, number>): Promise<void> {
  reader = await connectReader({
    ...{ bootstrap: ['broker:9092'], clientId: 'test', topic: 'stream', groupId: 'stream-1' },
    from: new Map(Object.entries(from).map(([partition, offset]) => [Number(partition), offset])),
    onRecords: (records) => {
      for (const { partition, offset } of records)
        read.set(partition, [...(read.get(partition) ?? []), Number(offset)]);
    },
    onRejoined: () => {
      joins++;
    },
    onCrash: () => {},
  });
}

/** When each partition has been read to its end: the offsets that it began with. */
async function firstReads(): Promise<Record<number, number | undefined>> {
  const isThere = () =>
    [...cluster.partitions].every(([partition, { end }]) => read.get(partition)?.at(-1) === end - 1);
  await expect.poll(isThere, { timeout: 20_000, interval: 5 }).toBe(true);
  return Object.fromEntries([...read].map(([partition, [first]]) => [partition, first]));
}

/** How often something was read that lies below an offset. */
const below = (partition: number, offset: number) =>
  (read.get(partition) ?? []).filter((one) => one < offset).length;

test('a reader of a new group begins where it is told to, and elsewhere at the beginning', async () => {
  log(0, 1_000);
  log(1, 20);
  await start({ 0: 990 });
  expect(await firstReads()).toEqual({ 0: 990, 1: 0 });
});

test('it waits where the log ends, and reads what comes', async () => {
  log(0, 1_000);
  await start({ 0: 1_000 });
  await expect.poll(() => joins).toBe(1);
  log(0, 1_003);
  expect(await firstReads()).toEqual({ 0: 1_000 });
});

test('it commits where it stands every five seconds, not after each batch', async () => {
  passTime(0);
  log(0, 500);
  await start({ 0: 0 });
  await firstReads();
  expect(cluster.commits).toBe(0);
  passTime(5_001);
  log(0, 510);
  await firstReads();
  await expect.poll(() => cluster.commits).toBe(1);
  expect(Number(cluster.committed.get(0))).toBeGreaterThanOrEqual(500);
});

test('a commit that fails costs nothing: every record is read once, and the next is made in time', async () => {
  passTime(0);
  log(0, 500);
  cluster.failCommits = 2;
  await start({ 0: 0 });
  for (const end of [510, 520, 530]) {
    await firstReads();
    passTime(5_001);
    log(0, end);
  }
  await firstReads();
  await expect.poll(() => cluster.commits).toBe(1);
  expect(joins).toBe(1);
  expect(read.get(0)).toEqual(Array.from({ length: 530 }, (_, offset) => offset));
});

test('a reader whose coordinator moved goes on where it was, not where it last committed', async () => {
  passTime(0);
  log(0, 1_000);
  await start({ 0: 900 });
  await firstReads();
  cluster.refuseHeartbeats = 1;
  passTime(1_001);
  log(0, 1_005);
  await expect.poll(() => joins, { timeout: 20_000 }).toBe(2);
  log(0, 1_010);
  await firstReads();
  expect(cluster.commits).toBe(0);
  expect(read.get(0)).toEqual(Array.from({ length: 110 }, (_, step) => 900 + step));
});

test('a batch that waits for its turn while the reader joins anew is read once', async () => {
  passTime(0);
  for (const partition of [0, 1, 2]) log(partition, 10, partition);
  await start({});
  await firstReads();
  const asked = Promise.withResolvers<void>();
  const deposed = Promise.withResolvers<void>();
  cluster.deposed = { broker: 2, until: deposed.promise, onAsked: asked.resolve };
  await asked.promise;
  // The first batch from here on waits for its heartbeat, and the other for it, until the reader has joined anew.
  const { promise, resolve } = Promise.withResolvers<void>();
  cluster.heartbeats = promise;
  passTime(1_001);
  log(0, 15, 0);
  log(1, 15, 1);
  await expect.poll(() => read.get(0)?.at(-1) === 14 || read.get(1)?.at(-1) === 14).toBe(true);
  await new Promise((done) => setTimeout(done, 50));
  deposed.resolve();
  await expect.poll(() => joins, { timeout: 20_000 }).toBe(2);
  resolve();
  log(2, 15, 2);
  await firstReads();
  for (const partition of [0, 1, 2])
    expect(read.get(partition), `partition ${partition}`).toEqual(Array.from({ length: 15 }, (_, at) => at));
});

test('where a broker with few partitions is quicker than one with many, all places are taken', async () => {
  const partitions = Array.from({ length: 24 }, (_, partition) => partition);
  for (const partition of partitions) log(partition, 10_000, Math.min(partition, 1));
  await start(Object.fromEntries(partitions.map((partition) => [partition, 9_900])));
  await firstReads();
  for (const partition of partitions) expect(below(partition, 9_900)).toBe(0);
});

test('a log that went back is read as it is, from its beginning', async () => {
  log(0, 40);
  await start({ 0: 90 });
  expect(await firstReads()).toEqual({ 0: 0 });
  expect(read.get(0)).toEqual(Array.from({ length: 40 }, (_, offset) => offset));
  log(0, 120);
  await firstReads();
  expect(read.get(0)).toEqual(Array.from({ length: 120 }, (_, offset) => offset));
});

test('a reader that joins its group anew goes on where it was', async () => {
  log(0, 1_000);
  await start({ 0: 900 });
  await firstReads();
  log(1, 10);
  cluster.partitions.set(0, { leader: 0, end: 1_005 });
  await firstReads();
  expect(joins).toBeGreaterThan(1);
  expect(read.get(0)).toEqual(Array.from({ length: 105 }, (_, step) => 900 + step));
});
