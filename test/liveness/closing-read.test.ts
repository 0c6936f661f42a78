import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { streamOf, topicName } from '../../src/experiment/identity.ts';
import { readAgain, readToEnd } from '../../src/liveness/closing-read.ts';
import type { Settings } from '../../src/liveness/environment.ts';
import { newReadLedger, recordPassed } from '../../src/liveness/ledger/read.ts';
import { encodeRecord } from '../../src/liveness/record.ts';

const log = vi.hoisted(() => ({
  /** What the brokers say, one answer a question; the last one stays. */
  ends: [] as (number[] | 'no answer')[],
  /** Records of the second reading, by sequence and offset, and where it comes to at last. */
  records: [] as [sequence: number, offset: number][],
  next: 0,
  /** What becomes of the next readers, in turn; then they read. */
  readers: [] as ('no coordinator' | 'gives up')[],
  groups: [] as string[],
}));

// Vitest's fake clock does not reach this module by itself.
vi.mock('node:timers/promises', () => ({
  setTimeout: (ms: number) => new Promise((resolve) => globalThis.setTimeout(resolve, ms)),
}));
vi.mock('../../src/kafka/connect-kafka.ts', () => ({
  connectKafka: () => ({
    endOffsets: async () => {
      const answer = log.ends.length > 1 ? log.ends.shift() : log.ends[0];
      if (!answer || answer === 'no answer') throw new Error('no broker answers');
      return new Map(answer.map((end, partition) => [partition, BigInt(end)]));
    },
    close: async () => {},
  }),
}));
vi.mock('../../src/kafka/streams.ts', () => ({
  connectReader: async (options: {
    groupId: string;
    onRecords: (records: object[]) => void;
    onPassed: (partition: number, next: number) => void;
    onCrash: (message: string) => void;
  }) => {
    log.groups.push(options.groupId);
    const fate = log.readers.shift();
    if (fate === 'no coordinator') throw new Error('The group coordinator is not available');
    if (fate === 'gives up') {
      setTimeout(() => options.onCrash('it gave up'), 1_000);
      return { close: async () => {} };
    }
    const records = log.records.map(([sequence, offset]) => {
      const value = encodeRecord({ producer: 0, partition: 0, sequence, at: 0 }, 'run-1');
      return { partition: 0, offset, value };
    });
    options.onRecords(records);
    options.onPassed(0, log.next);
    return { close: async () => {} };
  },
}));

const settings = { bootstrap: ['broker:9092'], topic: 'stream', runId: 'run-1' } as unknown as Settings;

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

/** Whether the end was found, of a reader that comes to `later` after a second. */
async function reading(first: number[], later: number[]) {
  const ledger = newReadLedger();
  for (const [partition, next] of first.entries()) recordPassed(ledger, partition, next);
  const found = readToEnd(settings, ledger, 5_000);
  await vi.advanceTimersByTimeAsync(1_000);
  for (const [partition, next] of later.entries()) recordPassed(ledger, partition, next);
  await vi.advanceTimersByTimeAsync(6_000);
  return { found: await found, ledger };
}

test('waits for every partition, not for a count', async () => {
  log.ends = [[10, 20]];
  expect((await reading([10, 20], [10, 20])).found).toBe(true);
  expect((await reading([10, 5], [10, 20])).found).toBe(true);
  expect((await reading([30, 5], [30, 19])).found).toBe(false);
});

test('an end that still grows is not the end', async () => {
  log.ends = [[10], 'no answer', [10], [12]];
  const { found, ledger } = await reading([10], [12]);
  expect(found).toBe(true);
  expect(ledger.partitions.get(0)?.end).toBe(12);
  log.ends = [[10], [12]];
  expect((await reading([10], [10])).found).toBe(false);
});

test('an end that went back is believed only when it stays', async () => {
  log.ends = [...new Array<number[]>(10).fill([8]), [10]];
  const passing = await reading([10], [10]);
  expect([passing.found, passing.ledger.tally.size]).toEqual([true, 0]);
  log.ends = [[8]];
  const staying = await reading([10], [10]);
  expect(staying.ledger.tally.get('truncated')).toMatchObject({ count: 2, first: { offset: 8 } });
});

test('without an answer the end is not found', async () => {
  log.ends = ['no answer'];
  expect((await reading([10], [10])).found).toBe(false);
});

test('the second reading counts to the last stable offset, though no record lies before it', async () => {
  Object.assign(log, {
    ends: [[4]],
    records: [
      [0, 0],
      [1, 1],
    ],
    next: 4,
  });
  const again = readAgain(settings);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await again).toMatchObject({ received: 2 });
  log.next = 3;
  const short = readAgain(settings);
  await vi.advanceTimersByTimeAsync(70_000);
  expect(await short).toBeUndefined();
});

test('the second reading outlives clients that find no coordinator, or give up, after brokers came back', async () => {
  Object.assign(log, { ends: [[1]], records: [[0, 0]], next: 1, readers: ['no coordinator', 'gives up'] });
  const again = readAgain(settings);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await again).toMatchObject({ received: 1 });
});

test('the group of the second reading is known for the run’s by its name, so that it is removed with it', async () => {
  Object.assign(log, { ends: [[1]], records: [[0, 0]], next: 1, readers: [], groups: [] });
  const identity = { temporalNamespace: 'default', workflowId: 'w', runId: '0123456789abcdef' };
  const topic = topicName(identity, Date.UTC(2026, 10, 23));
  const again = readAgain({ ...settings, topic });
  await vi.advanceTimersByTimeAsync(1_000);
  await again;
  expect(log.groups.map((group) => streamOf(group)?.topic)).toEqual([topic]);
});
