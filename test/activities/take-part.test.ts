import { expect, test } from 'vitest';
import { makeTakePart } from '../../src/activities/take-part.ts';
import { unpackChanges } from '../../src/experiment/partition-changes.ts';
import type { StartedLiveness } from '../../src/experiment/result.ts';
import { detailColumns, pointsOf } from '../../src/experiment/series.ts';
import { maxObservations } from '../../src/liveness/observer.ts';
import { livenessPorts, type Observation } from '../../src/liveness/protocol.ts';
import { seriesRecorder, sideRequestOf } from '../../src/liveness/series.ts';
import { attempt, fakeKafka, scene } from './step-support.ts';

/** The pod's clock goes ahead of the worker's. */
const skewMs = 3_600_000;
const hour = 3_600_000;
const to = Math.floor(Date.now() / 1_000) * 1_000 - 60_000;
const from = to - hour;

/** A stream of a record a second for two hours, whose latency is that of its second of the minute: every value is another one. */
function recorder(start = from - hour) {
  let now = start + skewMs;
  const record = seriesRecorder(() => now);
  for (let due = now; due < to + skewMs; due += 1_000) {
    now = due;
    record.sent(1);
    now = due + ((due / 1_000) % 60) + 100;
    record.done(due);
  }
  return record;
}

/** What the part of the last hour is, of a pod whose containers answer as these do. */
async function partOf(observations: Observation[] | undefined, record = recorder()) {
  const at = await scene(fakeKafka());
  at.kubernetes.podRequest = async ({ port }, { path }) => {
    const url = new URL(path, 'http://pod');
    const answer =
      port === livenessPorts.observer
        ? observations && { now: Date.now() + skewMs, startedAt: from - hour + skewMs, observations }
        : record.report(sideRequestOf(url.searchParams));
    return answer ? { status: 200, body: JSON.stringify(answer) } : { status: 404, body: '' };
  };
  const liveness = { namespace: 'kafka', pod: 'kafka-liveness', steadyAt: from } as StartedLiveness;
  return await attempt(makeTakePart(at.deps), { liveness, from, to });
}

const seen = (at: number, change: Omit<Observation, 'at'>): Observation => ({ at: at + skewMs, ...change });

test('a part of the stream has its hour alone, in steps of eight seconds by the worker’s clock, below 64 KiB', async () => {
  const part = await partOf([]);
  expect(part.until).toBe(to);
  expect(part.series?.stepMs).toBe(8_000);
  expect(Object.keys(part.series?.columns ?? {})).toEqual([...detailColumns]);
  const points = part.series ? pointsOf(part.series) : [];
  expect(points.length).toBeGreaterThan(448);
  expect(points.length).toBeLessThanOrEqual(480);
  for (const [at, edge] of [
    [points[0]?.at ?? 0, from],
    [points.at(-1)?.at ?? 0, to],
  ] as const) {
    // The clocks are compared at the middle of a round trip.
    expect(Math.abs(at - edge)).toBeLessThan(8_000 + 2_000);
  }
  const latencies = points.slice(1, -1).map(({ ackMax }) => ackMax ?? 0);
  expect(Math.min(...latencies)).toBeGreaterThanOrEqual(107);
  expect(Math.max(...latencies)).toBe(159);
  expect(Buffer.byteLength(JSON.stringify(part))).toBeLessThan(64 * 1_024);
});

test('it begins with how the partition stood, and holds what changed by the worker’s clock', async () => {
  const { changes } = await partOf([
    seen(from - 1_000_000, { kind: 'leader', broker: 0, leaderEpoch: 0 }),
    seen(from - 900_000, { kind: 'isr', isr: [0, 1, 2] }),
    seen(from - 800_000, { kind: 'broker-gone', broker: 0 }),
    seen(from - 790_000, { kind: 'leader', broker: 2, leaderEpoch: 1 }),
    seen(from + 500_000, { kind: 'controller', broker: 1 }),
    seen(from + 600_000, { kind: 'isr', isr: [1, 2] }),
    seen(from + 700_000, { kind: 'leader', broker: -1, leaderEpoch: 2 }),
    seen(to + 1_000, { kind: 'isr', isr: [2] }),
  ]);
  expect(changes).toMatchObject({ from, to });
  const told = (changes ? unpackChanges(changes) : []).map(({ at, kind, brokers }) => {
    // Whatever the round trip took, it moves all by the same.
    return [Math.round((at - from) / 10_000) * 10_000, kind, brokers];
  });
  expect(told).toEqual([
    [0, 'leader', [2]],
    [0, 'isr', [0, 1, 2]],
    [0, 'gone', [0]],
    [600_000, 'isr', [1, 2]],
    [700_000, 'leader', []],
  ]);
});

test('it begins later where the observer has forgotten how the partition stood', async () => {
  const observations = Array.from({ length: maxObservations }, (_, index) =>
    seen(from + 1_200_000 + index * 1_000, { kind: 'isr', isr: index % 2 === 0 ? [0, 1] : [0, 1, 2] }),
  );
  const { changes } = await partOf(observations);
  expect(Math.abs((changes?.from ?? 0) - (from + 1_200_000))).toBeLessThan(2_000);
});

test('a pod that does not answer leaves the stretch to the next part', async () => {
  expect(await partOf(undefined)).toEqual({});
});
