import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { RecordSender, RecordToSend, SenderOptions } from '../../src/kafka/record-sender.ts';
import { plainStream, type Settings } from '../../src/liveness/environment.ts';
import { startProducer } from '../../src/liveness/producer.ts';
import { decodeRecord, type StreamRecord } from '../../src/liveness/record.ts';

/** What the fake cluster was asked, and how it answers. */
const cluster = {
  opened: [] as SenderOptions[],
  batches: [] as number[],
  sent: [] as (RecordToSend & StreamRecord & { sentAt: number })[],
  answer: async (_partition: number): Promise<void> => {},
};

vi.mock('node:timers/promises', () => ({
  setTimeout: (ms: number) => new Promise((resolve) => setTimeout(resolve, ms)),
}));
vi.mock('../../src/kafka/record-sender.ts', () => ({
  connectSender: async (options: SenderOptions): Promise<RecordSender> => {
    cluster.opened.push(options);
    return {
      repeated: { requests: 0, waitedMs: 0 },
      async send(records) {
        const sentAt = Date.now();
        cluster.batches.push(records.length);
        for (const record of records) {
          const decoded = decodeRecord(record.value, 'run-1');
          if (typeof decoded === 'string') throw new Error(decoded);
          cluster.sent.push({ ...record, ...decoded, sentAt });
        }
        await cluster.answer(options.partition ?? 0);
        return 0;
      },
      close: async () => {},
    };
  },
}));

const settings: Settings = {
  role: 'producer',
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

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

beforeEach(() => {
  vi.useFakeTimers();
  cluster.opened.length = 0;
  cluster.sent.length = 0;
  cluster.batches.length = 0;
  cluster.answer = async () => {};
});

afterEach(() => {
  vi.useRealTimers();
});

/** Lets the producer run for so long, then stops it. */
async function ran(options: Partial<Settings['stream']>, ms: number, rate = 100) {
  const producer = startProducer({ ...settings, rate, stream: { ...plainStream, ...options } });
  await vi.advanceTimersByTimeAsync(ms);
  const ending = producer.stop();
  await vi.advanceTimersByTimeAsync(10_000);
  return await ending;
}

test('records are due by the schedule while the cluster is out, and the latency holds the waiting', async () => {
  const began = Date.now();
  cluster.answer = () => pause(Date.now() - began > 1_000 && Date.now() - began < 2_000 ? 3_000 : 5);
  const report = await ran({}, 8_000);
  for (const [index, record] of cluster.sent.entries()) {
    expect(record.sequence).toBe(index);
    expect(Math.abs(record.at - (began + index * 10))).toBeLessThanOrEqual(1);
  }
  // 300 records became due in those 3 s: half of them waited longer than 1.5 s.
  expect(report.acked).toBeGreaterThanOrEqual(790);
  expect(report.sendToAck.max).toBeGreaterThanOrEqual(3_000);
  expect(report.sendToAck.p99).toBeGreaterThan(2_500);
  expect(report.outages).toMatchObject({ count: 1, longest: [{ partition: 0, failedSends: 0 }] });
});

test('linger lets records go together', async () => {
  await ran({ lingerMs: 100 }, 2_000);
  const batches = new Set(cluster.sent.map(({ sentAt }) => sentAt));
  expect(cluster.sent.length / batches.size).toBeGreaterThanOrEqual(10);
});

test.each([
  [1, 1_000, 1_000_000],
  [64, 1_000, 8_388_608 / 64],
  [64, 500_000, 500_000],
])(
  'batches of %i partitions with records of %i bytes hold 8 MB together, or a record each',
  async (partitions, recordBytes, most) => {
    // An answer takes so long that more is due by then than fits into any batch.
    cluster.answer = () => pause(1_000);
    await ran({ partitions, recordBytes }, 2_000, 200_000);
    const largest = Math.max(...cluster.batches);
    expect(largest * recordBytes).toBeLessThanOrEqual(most);
    expect((largest + 1) * (recordBytes + 64)).toBeGreaterThan(most);
  },
);

test('a record that waits for others to go with it is no outage, whatever the linger', async () => {
  const calm = await ran({ lingerMs: 400 }, 5_000);
  expect(calm.acked).toBeGreaterThan(400);
  expect(calm.outages).toMatchObject({ count: 0, totalMs: 0 });
  const began = Date.now();
  cluster.answer = () => pause(Date.now() - began > 2_000 && Date.now() - began < 2_500 ? 1_500 : 5);
  const slow = await ran({ lingerMs: 400 }, 8_000);
  expect(slow.outages).toMatchObject({ count: 1, longest: [{ failedSends: 0 }] });
});

test('records that could not be sent have waited until the stream was stopped, and no longer', async () => {
  const began = Date.now();
  cluster.answer = async () => {
    if (Date.now() - began > 1_000) throw Object.assign(new Error('no'), { code: 'ECONNREFUSED' });
  };
  const producer = startProducer(settings);
  await vi.advanceTimersByTimeAsync(4_000);
  await Promise.all([producer.stop(), vi.advanceTimersByTimeAsync(1_000)]);
  const longest = () => {
    const { unsent } = producer.series({ stepMs: 1_000, since: 0, spans: [] });
    return Math.max(...(unsent?.outside ?? []).map(([ms]) => ms));
  };
  const atEnd = longest();
  expect(atEnd).toBeGreaterThan(2_500);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(longest()).toBe(atEnd);
});

test('records that could not be sent count with the time until others were', async () => {
  const began = Date.now();
  cluster.answer = async () => {
    const since = Date.now() - began;
    if (since > 1_000 && since < 9_000) throw Object.assign(new Error('no'), { code: 'ECONNREFUSED' });
  };
  const producer = startProducer(settings);
  await vi.advanceTimersByTimeAsync(12_000);
  const request = { stepMs: 1_000, since: 0, spans: [{ from: began + 1_000, to: began + 9_000 }] };
  const { unsent, latencies } = producer.series(request);
  const waits = (unsent?.inside ?? []).flatMap(([ms, records]) => new Array<number>(records).fill(ms));
  await Promise.all([producer.stop(), vi.advanceTimersByTimeAsync(1_000)]);
  expect(waits.length).toBeGreaterThan(700);
  expect(Math.max(...waits)).toBeGreaterThan(7_800);
  expect(waits.filter((ms) => ms > 4_000).length).toBeGreaterThan(350);
  // What came through had waited for a moment only.
  expect(Math.max(...(latencies?.inside ?? []).map(([ms]) => ms))).toBeLessThan(1_000);
});

test('what it took until the stream was steady is no outage', async () => {
  const began = Date.now();
  cluster.answer = async () => {
    if (Date.now() - began < 1_500) throw Object.assign(new Error('no'), { type: 'LEADER_NOT_AVAILABLE' });
  };
  const producer = startProducer(settings);
  await vi.advanceTimersByTimeAsync(4_000);
  expect(producer.report().outages).toMatchObject({ count: 1 });
  producer.steady();
  expect(producer.report()).toMatchObject({ outages: { count: 0, maxMs: 0, totalMs: 0 } });
  expect(producer.report().longestAckGapMs).toBeLessThan(100);
  await Promise.all([producer.stop(), vi.advanceTimersByTimeAsync(1_000)]);
});

test('a record that becomes due between two looks at the clock makes no empty batch', async () => {
  const clock = performance.now.bind(performance);
  let looks = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => clock() + ++looks * 0.3);
  const report = await ran({ lingerMs: 0 }, 2_000);
  vi.mocked(performance.now).mockRestore();
  expect(report.sent).toBeGreaterThan(190);
  expect(Math.min(...cluster.batches)).toBe(1);
});

test.each([
  [1, 3],
  [100, 3],
  [20_000, 1],
])('%i records a second are sent, no more and no fewer', async (rate, seconds) => {
  const report = await ran({}, seconds * 1_000, rate);
  expect(report.sent).toBeGreaterThanOrEqual(rate * (seconds - 0.05));
  expect(report.sent).toBeLessThanOrEqual(rate * seconds + 1);
});

test('each partition has its records, its sequences and its keys, of the size asked for', async () => {
  await ran({ partitions: 3, keys: 6, recordBytes: 1_000 }, 1_000);
  for (const partition of [0, 1, 2]) {
    const own = cluster.sent.filter((record) => record.partition === partition);
    expect(own.map(({ sequence }) => sequence)).toEqual(own.map((_, index) => index));
    expect(own.length).toBeGreaterThanOrEqual(32);
    expect(new Set(own.map(({ key }) => key))).toEqual(new Set([`key-${partition}`, `key-${partition + 3}`]));
  }
  expect(new Set(cluster.sent.map(({ value }) => value.length))).toEqual(new Set([1_000]));
});

test('an outage of one partition is told of that one, with the errors and the back-off, and delays no other', async () => {
  const began = Date.now();
  cluster.answer = async (partition) => {
    const since = Date.now() - began;
    if (partition === 1 && since > 1_000 && since < 2_000) {
      throw Object.assign(new Error('no'), { type: 'NOT_LEADER_FOR_PARTITION' });
    }
  };
  const { outages, unknown } = await ran({ partitions: 2 }, 4_000);
  expect(outages?.count).toBe(1);
  const [outage] = outages?.longest ?? [];
  expect(outage?.partition).toBe(1);
  expect(outage?.ms).toBeGreaterThanOrEqual(1_000);
  expect(outage?.ms).toBeLessThan(1_200);
  expect(Object.keys(outage?.errors ?? {})).toEqual(['NOT_LEADER_FOR_PARTITION']);
  expect(outage?.backoffMs).toBeGreaterThan(500);
  expect(outage?.backoffMs).toBeLessThanOrEqual(outage?.ms ?? 0);
  expect(unknown).toBeGreaterThan(0);
});

test('an idempotent client is spent after a failed send: its next batch would be taken for the failed one', async () => {
  let failed = false;
  cluster.answer = async () => {
    if (cluster.sent.length < 20 || failed) return;
    failed = true;
    throw new Error('timed out');
  };
  const report = await ran({ idempotent: true }, 1_000);
  expect(failed).toBe(true);
  expect(cluster.opened).toHaveLength(2);
  expect(cluster.opened.every(({ idempotent }) => idempotent)).toBe(true);
  expect(report.delivery).toEqual({ acks: 'all', idempotent: true, retries: true, maxInFlight: 1 });
});

test('the client is given what the stream is to be', async () => {
  await ran({ acks: 1, compression: 'gzip' }, 100);
  expect(cluster.opened).toMatchObject([{ acks: 1, compression: 'gzip', partition: 0, topic: 'stream' }]);
});

test('when it was told to stop is told, and stays so when somebody has to ask again', async () => {
  const producer = startProducer(settings);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(producer.report()).not.toHaveProperty('stoppedAt');
  const told = Date.now();
  cluster.answer = () => pause(700);
  void producer.stop();
  await vi.advanceTimersByTimeAsync(30_000);
  const again = await producer.stop();
  expect(again).toMatchObject({ stopped: true, stoppedAt: told, now: told + 30_000 });
  expect(told - (again.ledger?.triedAt ?? 0)).toBeLessThan(200);
});
