import { expect, test } from 'vitest';
import { streamOverTime } from '../../src/activities/stream-series.ts';
import type { StartedLiveness } from '../../src/experiment/result.ts';
import { pointsOf } from '../../src/experiment/series.ts';
import { livenessPorts } from '../../src/liveness/protocol.ts';
import {
  type SeriesRecorder,
  type SideRequest,
  seriesRecorder,
  sideRequestOf,
} from '../../src/liveness/series.ts';
import { fakeKubernetes } from '../support/fake-kubernetes.ts';

/** The pod's clock goes ahead of the worker's. */
const skewMs = 5_000;

/** 20 s of the stream, a record each 100 ms at 10 ms; but from second 10 to 12 nothing comes, and then all at once. */
function streamed(latencyMs: number, startedAt: number): SeriesRecorder {
  let now = startedAt;
  const recorder = seriesRecorder(() => now);
  for (let due = startedAt; due < startedAt + 20_000; due += 100) {
    const stuck = due >= startedAt + 10_000 && due < startedAt + 12_000;
    now = stuck ? startedAt + 12_000 : due + latencyMs;
    recorder.sent(1);
    recorder.done(due);
  }
  now = startedAt + 20_000;
  recorder.end();
  return recorder;
}

/** A Kubernetes whose pod answers as the containers do. */
function withPod(sides: Partial<Record<'producer' | 'consumer' | 'left', SeriesRecorder>>) {
  const kubernetes = fakeKubernetes();
  kubernetes.podRequest = async ({ port }, { path }) => {
    const url = new URL(path, 'http://pod');
    const asked = {
      [`${livenessPorts.producer}/series`]: sides.producer,
      [`${livenessPorts.consumer}/series`]: sides.consumer,
      [`${livenessPorts.observer}/consumer/series`]: sides.left,
    };
    const side = asked[`${port}${url.pathname}`];
    if (!side) return { status: 404, body: '' };
    return { status: 200, body: JSON.stringify(side.report(sideRequestOf(url.searchParams))) };
  };
  return kubernetes;
}

const startedAt = Math.floor(Date.now() / 1_000) * 1_000 - 60_000;
const liveness = { namespace: 'kafka', pod: 'kafka-liveness', steadyAt: 0 } as StartedLiveness;
const fault = { from: startedAt - skewMs + 10_000, to: startedAt - skewMs + 11_900 };

test('tells the stream inside the fault from the stream outside, on the worker’s clock', async () => {
  const kubernetes = withPod({ producer: streamed(10, startedAt), consumer: streamed(20, startedAt) });
  const { series, faultWindows } = await streamOverTime(kubernetes, liveness, {
    spans: [fault],
    startedAt,
    skewMs,
  });
  expect(faultWindows).toMatchObject({ count: 1, totalMs: 1_900, throughputDipPercent: 100 });
  expect(faultWindows?.inside).toMatchObject({ count: 20, max: 2_000 });
  expect(faultWindows?.outside).toMatchObject({ count: 180, max: 20, p99: 20 });
  const points = series ? pointsOf(series) : [];
  expect(points[0]).toMatchObject({ at: startedAt - skewMs, sent: 10, acked: 10, received: 10 });
  expect(points.slice(10, 13).map(({ acked }) => acked)).toEqual([0, 0, 30]);
});

test('what was before the stream was steady is neither inside nor outside', async () => {
  const kubernetes = withPod({ producer: streamed(10, startedAt), consumer: streamed(20, startedAt) });
  // A second after that, the first kill may come.
  const steady = { ...liveness, steadyAt: startedAt - skewMs + 6_000 };
  const spans = [{ from: fault.from - 10_000, to: fault.to }];
  const { faultWindows, series } = await streamOverTime(kubernetes, steady, { spans, startedAt, skewMs });
  expect(faultWindows).toMatchObject({ inside: { count: 70 }, outside: { count: 80 } });
  expect(series && pointsOf(series)[0]).toMatchObject({ acked: 10 });
});

test('records that could not be sent are in the latencies of the windows', async () => {
  const producer = streamed(10, startedAt);
  const unsent = { inside: [[8_000, 5] as [number, number]], outside: [[9_000, 1] as [number, number]] };
  const failing = {
    ...producer,
    report: (request: SideRequest) => ({ ...producer.report(request), unsent }),
  };
  const kubernetes = withPod({ producer: failing, consumer: streamed(20, startedAt) });
  const { faultWindows } = await streamOverTime(kubernetes, liveness, { spans: [fault], startedAt, skewMs });
  expect(faultWindows).toMatchObject({
    unsent: 6,
    inside: { count: 25, max: 8_000, p99: 8_000 },
    outside: { count: 181, max: 9_000, p99: 20 },
  });
});

test('a consumer of an earlier image, which tells its summary alone, is taken at its word', async () => {
  const now = streamed(20, startedAt);
  const earlier = {
    ...now,
    report: (request: SideRequest) => ({ ...now.report(request), latencies: undefined }),
  };
  const producer = streamed(10, startedAt);
  const unsent = { inside: [[8_000, 5] as [number, number]], outside: [] };
  const failing = {
    ...producer,
    report: (request: SideRequest) => ({ ...producer.report(request), unsent }),
  };
  const kubernetes = withPod({ producer: failing, consumer: earlier as SeriesRecorder });
  const { faultWindows } = await streamOverTime(kubernetes, liveness, { spans: [fault], startedAt, skewMs });
  expect(faultWindows?.inside).toMatchObject({ count: 20, max: 2_000 });
  expect(faultWindows).not.toHaveProperty('unsent');
});

test('a consumer that has ended leaves its side unobserved, not empty', async () => {
  const kubernetes = withPod({ producer: streamed(10, startedAt) });
  const { series, faultWindows } = await streamOverTime(kubernetes, liveness, {
    spans: [fault],
    startedAt,
    skewMs,
  });
  expect(faultWindows).toEqual({ count: 1, totalMs: 1_900, throughputDipPercent: 100 });
  expect(Object.keys(series?.columns ?? {})).not.toContain('received');
});

test('what a consumer left with the observer when it gave up is its side', async () => {
  const kubernetes = withPod({ producer: streamed(10, startedAt), left: streamed(20, startedAt) });
  const { series, faultWindows } = await streamOverTime(kubernetes, liveness, {
    spans: [fault],
    startedAt,
    skewMs,
  });
  expect(faultWindows?.inside).toMatchObject({ count: 20, max: 2_000 });
  expect(series && pointsOf(series)[0]).toMatchObject({ received: 10 });
});

test('a pod that is gone leaves nothing', async () => {
  const gone = streamOverTime(withPod({}), liveness, { spans: [fault], startedAt, skewMs });
  expect(await gone).toEqual({});
});
