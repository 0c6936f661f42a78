import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startConsumer } from '../../src/liveness/consumer.ts';
import { plainStream, type Settings } from '../../src/liveness/environment.ts';
import { encodeRecord } from '../../src/liveness/record.ts';

interface Opened {
  groupId: string;
  from: Map<number, number>;
  onRecords: (records: object[]) => void;
  onCrash: (message: string) => void;
}

const opened = vi.hoisted(() => [] as Opened[]);
const look = vi.hoisted(() => ({
  confirmed: 'stuck-client' as 'stuck-client' | 'outage',
  stuck: [] as string[],
  at: [] as number[],
  /** What becomes of the next clients, in turn; then they open. */
  opens: [] as ('crashes' | 'never')[],
}));

// Vitest's fake clock does not reach this module by itself.
vi.mock('node:timers/promises', () => ({
  setTimeout: (ms: number) => new Promise((resolve) => globalThis.setTimeout(resolve, ms)),
}));
vi.mock('../../src/kafka/streams.ts', () => ({
  connectReader: async (options: Opened) => {
    opened.push(options);
    const fate = look.opens.shift();
    if (fate === 'never') await new Promise(() => {});
    if (fate === 'crashes') options.onCrash('nobody may join');
    return { close: async () => {} };
  },
}));
vi.mock('../../src/liveness/direct-reader.ts', () => ({
  stuckMs: 1_000,
  startDirectReader: () => ({
    figures: () => ({ read: 7 }),
    stuckNow: () => look.stuck,
    steady: () => {},
    stop: () => {},
  }),
}));
vi.mock('../../src/liveness/fresh-look.ts', () => ({
  lookAfresh: async (_: object, { partition }: { partition: number }) => {
    look.at.push(partition);
    return { confirmed: look.confirmed, evidence: ['what a fresh client saw'] };
  },
}));

const settings: Settings = {
  role: 'consumer',
  bootstrap: ['broker:9092'],
  topic: 'stream',
  runId: 'run-1',
  rate: 100,
  stream: plainStream,
  replicationFactor: 3,
  minInsyncReplicas: 2,
  consumerTimeoutMs: 4_000,
  probeStepMs: 3,
  terminationLog: '/dev/null',
};

beforeEach(() => {
  vi.useFakeTimers();
  opened.length = 0;
  look.confirmed = 'stuck-client';
  look.stuck = [];
  look.at = [];
  look.opens = [];
});

afterEach(() => {
  vi.useRealTimers();
});

/** A client delivers a record that lies at the offset of its sequence. */
function deliver(client: Opened | undefined, sequence: number, partition = 0): void {
  const value = encodeRecord({ producer: 0, partition, sequence, at: Date.now() }, settings.runId);
  client?.onRecords([{ partition, offset: sequence, value }]);
}

/** A record comes by the client that was opened last. */
function comes(index: number): void {
  deliver(opened.at(-1), index);
}

/** Whether the consumer has given up so far. */
function givenUp(consumer: ReturnType<typeof startConsumer>) {
  let found: Awaited<typeof consumer.silence> | undefined;
  void consumer.silence.then((silence) => {
    found = silence;
  });
  return () => found;
}

test('a client that is silent while the cluster serves a fresh one is built anew, and the stream goes on', async () => {
  const consumer = startConsumer(settings, () => {});
  const silence = givenUp(consumer);
  await vi.advanceTimersByTimeAsync(500);
  comes(0);
  await vi.advanceTimersByTimeAsync(4_500);
  expect(opened).toHaveLength(2);
  expect(opened[1]?.groupId).not.toBe(opened[0]?.groupId);
  comes(1);
  await vi.advanceTimersByTimeAsync(3_000);
  expect(silence()).toBeUndefined();
  const { rebuilds, received, lastError } = consumer.report();
  expect({ rebuilds, received }).toEqual({ rebuilds: 1, received: 2 });
  expect(lastError).toContain('what a fresh client saw');
});

test('a client that stays silent after it was built anew gives up, and is named stuck', async () => {
  const consumer = startConsumer(settings, () => {});
  const silence = givenUp(consumer);
  await vi.advanceTimersByTimeAsync(500);
  comes(0);
  await vi.advanceTimersByTimeAsync(12_000);
  expect(silence()).toBeUndefined();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(silence()).toMatchObject({ confirmed: 'stuck-client' });
});

test('silence of a cluster that serves nobody ends the consumer at its time-out', async () => {
  look.confirmed = 'outage';
  const consumer = startConsumer(settings, () => {});
  const silence = givenUp(consumer);
  await vi.advanceTimersByTimeAsync(500);
  comes(0);
  await vi.advanceTimersByTimeAsync(4_500);
  expect(silence()).toMatchObject({ confirmed: 'outage' });
  expect(opened).toHaveLength(1);
});

test('a client that does not read what a reader beside it is given is stuck, whatever a fresh one finds then', async () => {
  look.confirmed = 'outage';
  look.stuck = ['partition 0: a reader without a group read up to offset 9'];
  const consumer = startConsumer(settings, () => {});
  const silence = givenUp(consumer);
  await vi.advanceTimersByTimeAsync(500);
  comes(0);
  await vi.advanceTimersByTimeAsync(4_500);
  expect(silence()).toBeUndefined();
  expect(opened).toHaveLength(2);
  expect(consumer.report()).toMatchObject({ rebuilds: 1, direct: { read: 7 } });
  await vi.advanceTimersByTimeAsync(15_000);
  expect(silence()).toMatchObject({ confirmed: 'stuck-client' });
  expect(silence()?.evidence).toContain(look.stuck[0]);
});

test('what a rebuilt client reads again is not counted again, and what the old one still delivers is not counted', async () => {
  const consumer = startConsumer(settings, () => {});
  await vi.advanceTimersByTimeAsync(500);
  for (const index of [0, 1, 2]) comes(index);
  await vi.advanceTimersByTimeAsync(4_500);
  comes(0);
  comes(1);
  deliver(opened[0], 3);
  for (const index of [2, 3]) comes(index);
  const { received, ledger } = consumer.report();
  expect({ received, anomalies: ledger?.anomalies }).toEqual({ received: 4, anomalies: [] });
});

test('a person is told at most two records a second, and of every gap of more than a second', async () => {
  const lines: string[] = [];
  startConsumer(settings, (line) => lines.push(line));
  await vi.advanceTimersByTimeAsync(500);
  for (let index = 0; index < 200; index++) {
    comes(index);
    await vi.advanceTimersByTimeAsync(10);
  }
  expect(lines).toHaveLength(4);
  expect(lines[0]).toMatch(/^sequence 0 produced .* received after 0 ms, offset 0$/);
  lines.length = 0;
  for (const [index, ms] of [990, 1_000, 1_500, 2_000].entries()) {
    await vi.advanceTimersByTimeAsync(ms);
    comes(200 + index);
  }
  expect(lines.filter((line) => line.startsWith('gap'))).toEqual([
    'gap of 1500 ms before sequence 202',
    'gap of 2000 ms before sequence 203',
  ]);
});

const three = { ...settings, stream: { ...plainStream, partitions: 3 } };

/** For so many seconds records of these partitions come, by the client that was opened last. */
async function flow(seconds: number, partitions: number[], from: number): Promise<number> {
  for (let index = 0; index < seconds * 10; index++) {
    for (const partition of partitions) deliver(opened.at(-1), from + index, partition);
    await vi.advanceTimersByTimeAsync(100);
  }
  return from + seconds * 10;
}

test('a partition that nobody can read ends the consumer, however well the others flow', async () => {
  look.confirmed = 'outage';
  const consumer = startConsumer(three, () => {});
  const silence = givenUp(consumer);
  await vi.advanceTimersByTimeAsync(500);
  let next = await flow(1, [0, 1, 2], 0);
  next = await flow(3, [0, 2], next);
  expect(silence()).toBeUndefined();
  expect(consumer.report().longestSilenceMs).toBeGreaterThan(2_900);
  await flow(2, [0, 2], next);
  expect(silence()).toMatchObject({ confirmed: 'outage' });
  expect(silence()?.silentMs).toBeGreaterThan(4_000);
  // What the fresh client sees of the others answers nothing.
  expect(look.at).toEqual([1]);
  expect(opened).toHaveLength(1);
});

test('a client that is stuck on one partition is built anew, and the others do not hide that it stays so', async () => {
  const consumer = startConsumer(three, () => {});
  const silence = givenUp(consumer);
  await vi.advanceTimersByTimeAsync(500);
  let next = await flow(1, [0, 1, 2], 0);
  next = await flow(6, [0, 2], next);
  expect(opened).toHaveLength(2);
  expect(silence()).toBeUndefined();
  await flow(11, [0, 2], next);
  expect(silence()).toMatchObject({ confirmed: 'stuck-client' });
});

test('a partition whose turn comes seldom is not silent between two of its records', async () => {
  const seldom = { ...three, rate: 0.5, consumerTimeoutMs: 1_000 };
  const consumer = startConsumer(seldom, () => {});
  const silence = givenUp(consumer);
  await vi.advanceTimersByTimeAsync(500);
  for (let turn = 0; turn < 9; turn++) {
    deliver(opened.at(-1), Math.floor(turn / 3), turn % 3);
    await vi.advanceTimersByTimeAsync(2_000);
  }
  expect(silence()).toBeUndefined();
});

test('silence of our own making is none: whoever closes the stream may be late', async () => {
  const consumer = startConsumer(settings, () => {});
  const silence = givenUp(consumer);
  await vi.advanceTimersByTimeAsync(500);
  comes(0);
  await vi.advanceTimersByTimeAsync(2_000);
  consumer.producerStops();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(silence()).toBeUndefined();
  expect(opened).toHaveLength(1);
  const { longestSilenceMs } = consumer.report();
  expect(longestSilenceMs).toBe(2_000);
});

test('a client that crashes around the stop is followed by another, which reads the rest', async () => {
  const consumer = startConsumer(settings, () => {});
  const silence = givenUp(consumer);
  await vi.advanceTimersByTimeAsync(500);
  comes(0);
  opened.at(-1)?.onCrash('the coordinator is gone');
  consumer.producerStops();
  await vi.advanceTimersByTimeAsync(500);
  expect(opened).toHaveLength(2);
  comes(1);
  expect(consumer.report()).toMatchObject({ received: 2, lastError: 'the coordinator is gone' });
  await vi.advanceTimersByTimeAsync(60_000);
  expect(opened).toHaveLength(2);
  expect(silence()).toBeUndefined();
});

/** For so many seconds the client that was opened last is given these offsets, twenty a second. */
async function reads(seconds: number, offsetAt: (step: number) => number): Promise<void> {
  for (let step = 0; step < seconds * 20; step++) {
    comes(offsetAt(step));
    await vi.advanceTimersByTimeAsync(50);
  }
}

test('a rebuilt client begins a little before where the ones before it have come to', async () => {
  startConsumer(three, () => {});
  await vi.advanceTimersByTimeAsync(500);
  for (let index = 0; index < 900; index++) deliver(opened[0], index, 0);
  for (let index = 0; index < 3; index++) deliver(opened[0], index, 2);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(opened).toHaveLength(2);
  expect([...(opened[0]?.from ?? [])]).toEqual([]);
  expect(Object.fromEntries(opened[1]?.from ?? [])).toEqual({ 0: 800, 2: 0 });
});

test('a log that was written anew while a client was rebuilt shows itself by the records before', async () => {
  const consumer = startConsumer(settings, () => {});
  await vi.advanceTimersByTimeAsync(500);
  for (let index = 0; index < 900; index++) comes(index);
  await vi.advanceTimersByTimeAsync(5_000);
  // The election lost what lay from 850 on; other records lie there now, and beyond where the client before had come to.
  const from = opened[1]?.from.get(0) ?? 0;
  for (let offset = from; offset < 950; offset++) {
    const sequence = offset < 850 ? offset : offset + 1_000;
    const value = encodeRecord({ producer: 0, partition: 0, sequence, at: Date.now() }, settings.runId);
    opened[1]?.onRecords([{ partition: 0, offset, value }]);
  }
  expect(consumer.report().ledger?.anomalies.map(({ kind }) => kind)).toContain('truncated');
});

test('a client that reads again what others have read is not stuck, however long that takes', async () => {
  look.stuck = ['partition 0: a reader without a group read up to offset 900'];
  const consumer = startConsumer(settings, () => {});
  const silence = givenUp(consumer);
  await vi.advanceTimersByTimeAsync(500);
  for (let index = 0; index < 800; index++) comes(index);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(opened).toHaveLength(2);
  await reads(40, (step) => step);
  expect(opened).toHaveLength(2);
  look.stuck = [];
  await reads(2, (step) => 800 + step);
  expect(consumer.report()).toMatchObject({ rebuilds: 1, received: 840 });
  expect(consumer.report().ledger?.anomalies).toEqual([]);
  expect(silence()).toBeUndefined();
});

test('a client that is given the same records over and over is stuck', async () => {
  const consumer = startConsumer(settings, () => {});
  const silence = givenUp(consumer);
  await vi.advanceTimersByTimeAsync(500);
  for (let index = 0; index < 10; index++) comes(index);
  await reads(25, (step) => step % 10);
  expect(silence()).toMatchObject({ confirmed: 'stuck-client' });
});

test('a late crash of a client that was thrown away is not its successor’s', async () => {
  startConsumer(settings, () => {});
  await vi.advanceTimersByTimeAsync(500);
  comes(0);
  opened[0]?.onCrash('the coordinator is gone');
  await vi.advanceTimersByTimeAsync(500);
  expect(opened).toHaveLength(2);
  opened[0]?.onCrash('it is still gone');
  comes(1);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(opened).toHaveLength(2);
});

test('what a client still says that did not open in time, or crashed, is not its successor’s', async () => {
  look.opens = ['never'];
  const consumer = startConsumer(settings, () => {});
  await vi.advanceTimersByTimeAsync(21_000);
  expect(opened).toHaveLength(2);
  expect(opened[1]?.groupId).not.toBe(opened[0]?.groupId);
  deliver(opened[0], 0);
  expect(consumer.report().received).toBe(0);
});

test('a client that crashes while it joins its group is followed by another', async () => {
  look.opens = ['crashes'];
  const consumer = startConsumer(settings, () => {});
  await vi.advanceTimersByTimeAsync(500);
  expect(opened).toHaveLength(2);
  comes(0);
  expect(consumer.report()).toMatchObject({ received: 1, lastError: 'nobody may join' });
});

test('what was silent until the stream was steady is no silence of the run', async () => {
  const consumer = startConsumer(settings, () => {});
  await vi.advanceTimersByTimeAsync(500);
  comes(0);
  await vi.advanceTimersByTimeAsync(2_500);
  comes(1);
  expect(consumer.report().longestSilenceMs).toBeGreaterThan(2_000);
  consumer.steady();
  await vi.advanceTimersByTimeAsync(300);
  comes(2);
  expect(consumer.report().longestSilenceMs).toBeLessThan(1_000);
});

test('of records that come together each counts, but for those that were read before', async () => {
  const consumer = startConsumer(settings, () => {});
  await vi.advanceTimersByTimeAsync(0);
  const now = Date.now();
  const records = [now - 7, now - 7, now - 7, now - 3].map((at, sequence) => ({
    partition: 0,
    offset: sequence,
    value: encodeRecord({ producer: 0, partition: 0, sequence, at }, settings.runId),
  }));
  opened[0]?.onRecords(records.slice(0, 1));
  opened[0]?.onRecords(records);
  const { received, sendToReceive } = consumer.report();
  expect(received).toBe(4);
  expect(sendToReceive).toMatchObject({ count: 4, p50: 7, max: 7 });
  const side = consumer.series({ stepMs: 1_000, spans: [], since: 0 });
  expect(side.done.reduce((sum, count) => sum + count, 0)).toBe(4);
  expect(side.outside.count).toBe(4);
});
