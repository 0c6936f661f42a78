import { afterEach, beforeEach, expect, test } from 'vitest';
import { type PartitionReader, type Progress, readPartition } from '../../src/kafka/partition-reader.ts';
import { dialDirect } from '../../src/kafka/reach.ts';
import { type Log, type LogBroker, logBroker, newLog } from '../support/log-broker.ts';

const seen = { records: 0, progress: [] as Progress[], leaders: [] as string[], truncated: [] as number[] };
let log: Log;
let brokers: LogBroker[];
let reader: PartitionReader;

beforeEach(async () => {
  log = newLog();
  brokers = [await logBroker(log), await logBroker(log), await logBroker(log)];
  Object.assign(seen, { records: 0, progress: [], leaders: [], truncated: [] });
});

afterEach(async () => {
  reader.close();
  await Promise.all(brokers.map((broker) => broker.close()));
});

function start(bytesPerSecond = 1_000_000_000): void {
  reader = readPartition({
    addresses: brokers.map(({ address }) => address),
    topic: 'stream',
    partition: 0,
    clientId: 'test',
    dial: dialDirect,
    bytesPerSecond,
    onRecords: (progress) => {
      seen.records += progress.records;
      seen.progress.push(progress);
    },
    onLeader: (address) => seen.leaders.push(address),
    onTruncated: (position) => seen.truncated.push(position),
  });
}

const bytesIn = ({ batches }: Log) => batches.reduce((sum, { bytes }) => sum + bytes.length, 0);

/** Waits for what has to come; the test's own time-out says that it did not. */
async function until(what: () => boolean): Promise<void> {
  while (!what()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Makes one broker the leader, and the others not. */
function lead(index: number): string {
  for (const [at, broker] of brokers.entries()) broker.error = at === index ? 0 : 6;
  return brokers[index]?.address ?? '';
}

test('every record is read once, from whoever leads, as kafkajs wrote it', async () => {
  const address = lead(1);
  await log.append(3);
  start();
  await until(() => seen.records === 3);
  await log.append(500, { gzip: true });
  await log.append(1);
  await until(() => reader.position === 504);
  expect(seen.records).toBe(504);
  expect(seen.leaders).toEqual([address]);
  expect(seen.progress.at(-1)).toMatchObject({ next: 504, highWatermark: 504, address });
});

test('nothing above the high watermark is read, even where a broker gives it', async () => {
  lead(0);
  await log.append(5);
  await log.append(5, { hidden: true });
  start();
  await until(() => seen.records > 0 && (brokers[0]?.asked ?? 0) > 5);
  expect(reader.position).toBe(5);
  log.highWatermark = 10;
  await until(() => reader.position === 10);
  expect(seen.records).toBe(10);
});

test.each([
  ['refuses', () => () => {}],
  ['ends its connections', (broker: LogBroker) => () => broker.cut()],
  [
    'falls silent',
    (broker: LogBroker) => () => {
      broker.silent = true;
    },
  ],
])('a new leader is followed without metadata when the old one %s', async (_how, act) => {
  const [first] = brokers;
  const old = lead(0);
  await log.append(2);
  start();
  await until(() => seen.records === 2);
  if (first) act(first)();
  const next = lead(2);
  await log.append(2);
  await until(() => seen.records === 4);
  expect(seen.leaders).toEqual([old, next]);
});

test('a broker that does not know that it leads no more is left for the one that has more to give', async () => {
  // It knows the log as it was, and says that it leads: as a leader that was cut off from the others.
  const stale = newLog();
  await stale.append(2);
  const behind = await logBroker(stale, 0);
  brokers.push(behind);
  start();
  await until(() => seen.records === 2);
  await log.append(2);
  await log.append(2);
  const next = lead(2);
  behind.error = 0;
  await until(() => seen.records === 4);
  expect(seen.leaders).toEqual([behind.address, next]);
});

test('a broker that led before is not taken for the leader while the present one has told of more than it has', async () => {
  const stale = newLog();
  await stale.append(3);
  await stale.append(17);
  const former = await logBroker(stale);
  brokers.push(former);
  const address = lead(0);
  await log.append(3);
  start();
  await until(() => seen.records === 3);
  // It says that there is more, and gives nothing for so long that the others are asked beside it.
  log.highWatermark = 50;
  former.error = 0;
  const { asked } = former;
  // Whoever is asked a second time has been heard.
  await until(() => former.asked >= asked + 2);
  expect(seen.leaders).toEqual([address]);
  expect(seen.records).toBe(3);
});

test('a log that became shorter is read again from its start, and nothing is counted twice', async () => {
  lead(0);
  await log.append(4);
  await log.append(6);
  start();
  await until(() => reader.position === 10);
  log.batches.pop();
  log.highWatermark = 4;
  await until(() => seen.truncated.length > 0);
  expect(seen.truncated).toEqual([10]);
  await until(() => reader.position === 4);
  expect(seen.records).toBe(10);
  await log.append(8);
  await until(() => reader.position === 12);
});

test('a leader that has given everything is left alone for a moment: a record that comes is not a request', async () => {
  lead(0);
  start();
  await log.append(1);
  await until(() => seen.records === 1);
  const [asked = 0, from] = [brokers[0]?.asked, performance.now()];
  for (let count = 0; count < 60; count++) {
    await log.append(1);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const most = (performance.now() - from) / 25 + 2;
  expect((brokers[0]?.asked ?? 0) - asked).toBeLessThan(most);
  await until(() => seen.records === 61);
});

test('of a stream that is faster than its share it reads a sample, up to the newest record', async () => {
  lead(0);
  for (let batch = 0; batch < 400; batch++) await log.append(1_000);
  // A fortieth of what waits.
  start(bytesIn(log) / 40);
  await until(() => reader.position === 400_000);
  const first = seen.records;
  expect(first).toBeLessThan(100_000);
  expect(seen.progress.at(-1)).toMatchObject({ next: first, leftOut: 400_000 - first });
  await log.append(2);
  await until(() => seen.records === first + 2);
  expect(seen.progress.at(-1)).toMatchObject({ next: 400_002, leftOut: 0 });
});

test('what is no more than a rest’s worth is left out by none', async () => {
  lead(0);
  for (let batch = 0; batch < 80; batch++) await log.append(1_000);
  expect(bytesIn(log)).toBeGreaterThan(1_048_576);
  start(4_194_304);
  await until(() => seen.records === 80_000);
  expect(seen.progress.length).toBeGreaterThan(1);
  expect(seen.progress.every(({ leftOut }) => leftOut === 0)).toBe(true);
});

test('it asks for no more than its share, and as often', async () => {
  lead(0);
  await log.append(1_000);
  // Each batch is worth the longest rest.
  start(bytesIn(log) * 4);
  await until(() => seen.records === 1_000);
  const [asked = 0, from] = [brokers[0]?.asked, performance.now()];
  for (let batch = 0; batch < 30; batch++) {
    await log.append(1_000);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const most = (performance.now() - from) / 250 + 2;
  expect((brokers[0]?.asked ?? 0) - asked).toBeLessThan(most);
  await until(() => reader.position === 31_000);
  const leftOut = seen.progress.reduce((sum, progress) => sum + progress.leftOut, 0);
  expect(leftOut).toBeGreaterThan(0);
  expect(seen.records + leftOut).toBe(31_000);
});
