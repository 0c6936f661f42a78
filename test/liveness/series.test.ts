import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maxSeriesPoints, pointsOf, seriesStepMs } from '../../src/experiment/series.ts';
import { packSpans } from '../../src/experiment/spans.ts';
import { joinSeries } from '../../src/liveness/join-series.ts';
import { recordedSeries, seriesRecorder, sideRequestOf } from '../../src/liveness/series.ts';

/** Epoch ms that is no multiple of any step. */
const start = 1_772_446_507_123;

/** A recorder whose clock is set by hand. */
function recorderAt(first = start) {
  let now = first;
  const recorder = seriesRecorder(() => now);
  return {
    recorder,
    at: (ms: number) => {
      now = first + ms;
      return recorder;
    },
    report: (ms: number, request: Partial<Parameters<typeof recorder.report>[0]> = {}) => {
      now = first + ms;
      return recorder.report({ stepMs: 1_000, spans: [], since: 0, ...request });
    },
  };
}

describe('the record by the second', () => {
  it('counts a record when it is acknowledged, and its latency when it was due', () => {
    const { at, report } = recorderAt();
    at(0).sent(2);
    at(3_000).done(start, 2);
    const { from, sent, done, max } = report(3_000);
    expect(from).toBe(1_772_446_507_000);
    expect(sent).toEqual([2, 0, 0, 0]);
    expect(done).toEqual([0, 0, 0, 2]);
    expect(max).toEqual([3_000, null, null, null]);
  });

  it('shows seconds in which nothing came, up to now', () => {
    const { at, report } = recorderAt();
    at(0).done(start);
    expect(report(5_000).done).toEqual([1, 0, 0, 0, 0, 0]);
  });

  it('ends when the stream is stopped: the time after that is no silence', () => {
    const { at, report } = recorderAt();
    at(0).done(start);
    at(1_000).end();
    expect(report(9_000)).toMatchObject({ done: [1, 0], now: start + 9_000 });
  });

  it('tells the latency inside spans from that outside, by when a record was due', () => {
    const { at, report } = recorderAt();
    at(10).done(start);
    at(2_500).done(start + 2_000);
    at(9_000).done(start + 2_001);
    const spans = [{ from: start + 2_000, to: start + 2_100 }];
    const { inside, outside } = report(9_000, { spans });
    expect(inside).toMatchObject({ count: 2, max: 6_999 });
    expect(outside).toEqual({ count: 1, p50: 10, p99: 10, max: 10 });
  });

  it('tells the dip second by second, however wide the points are', () => {
    const { at, report } = recorderAt();
    for (let second = 0; second < 600; second++) {
      const isFault = second % 60 === 30;
      for (let count = 0; count < (isFault ? 2 : 10); count++)
        at(second * 1_000).done(start + second * 1_000);
    }
    const spans = Array.from({ length: 10 }, (_, minute) => {
      const from = start + (minute * 60 + 30) * 1_000;
      return { from, to: from + 100 };
    });
    expect(report(600_000, { stepMs: 181_000, spans }).dipPercent).toBe(80);
    expect(report(600_000, { stepMs: 181_000 }).dipPercent).toBeUndefined();
  });

  it('gives percentiles that half and 99 of a hundred records do not exceed', () => {
    const { at, report } = recorderAt();
    for (let latency = 1; latency <= 100; latency++) at(latency).done(start);
    const { p50, p99, min, max } = report(100);
    expect([min[0], p50[0], p99[0], max[0]]).toEqual([1, 50, 99, 100]);
  });

  it('says the same when it was packed, and ends there', () => {
    const { at, report } = recorderAt();
    for (let second = 0; second < 300; second++) {
      at(second * 1_000).sent(3);
      at(second * 1_000 + 40 + (second % 7)).done(start + second * 1_000, 3);
    }
    const request = { stepMs: 2_000, spans: [{ from: start + 9_000, to: start + 9_500 }], since: start };
    const before = report(300_000, request);
    const packed = at(300_000).pack();
    expect({ ...recordedSeries(packed, request), now: 0 }).toEqual({ ...before, now: 0 });
    expect(report(400_000, request).done).toEqual(before.done);
  });

  it('reads what the worker asks from the query', () => {
    const spans = [{ from: 1_000, to: 2_000 }];
    const query = new URLSearchParams({ stepMs: '2000', spans: packSpans(spans), since: '7' });
    expect(sideRequestOf(query)).toEqual({ stepMs: 2_000, spans, since: 7 });
    expect(sideRequestOf(new URLSearchParams())).toEqual({ stepMs: 1_000, spans: [], since: 0 });
  });
});

/** Acks by ms after the start, with their latency. */
const acks = fc.array(fc.record({ at: fc.nat(200_000), latency: fc.nat(9_000) }), {
  minLength: 1,
  maxLength: 300,
});

describe('a coarser step', () => {
  it('holds the mean, the slowest and the fastest of its seconds', () => {
    // The first point of two seconds begins a second before the first record.
    const { at, report } = recorderAt();
    for (const [second, count] of [1, 5, 2, 0].entries()) at(second * 1_000).done(start, count);
    const { done, doneMin, doneMax } = report(2_000, { stepMs: 2_000 });
    expect({ done, doneMin, doneMax }).toEqual({ done: [0.5, 3.5], doneMin: [0, 2], doneMax: [1, 5] });
  });

  it('keeps every extreme and every record', () => {
    fc.assert(
      fc.property(acks, fc.integer({ min: 1, max: 60 }), (list, seconds) => {
        const { at, report } = recorderAt();
        for (const { at: ms, latency } of list) at(ms + 9_000).done(start + ms + 9_000 - latency);
        const fine = report(210_000);
        const coarse = report(210_000, { stepMs: seconds * 1_000 });
        const numbers = (values: (number | null)[]) => values.filter((value) => value !== null);
        expect(Math.max(...coarse.doneMax)).toBe(Math.max(...fine.done));
        expect(Math.max(...numbers(coarse.max))).toBe(Math.max(...numbers(fine.max)));
        expect(Math.min(...numbers(coarse.min))).toBe(Math.min(...numbers(fine.min)));
        const least = Math.min(...fine.done);
        expect(Math.min(...coarse.doneMin)).toBeLessThanOrEqual(least);
        const sum = coarse.done.reduce((total, rate) => total + rate * seconds, 0);
        // Means are kept to a tenth.
        expect(Math.abs(sum - list.length)).toBeLessThanOrEqual(coarse.done.length * seconds * 0.05 + 1e-6);
        expect(coarse.from % (seconds * 1_000)).toBe(0);
      }),
    );
  });

  it.each([60, 10 * 60, 3_600, 24 * 3_600])('fits %i s into one chunk of 64 KiB', (seconds) => {
    const { at, report } = recorderAt();
    for (let second = 0; second < seconds; second++) {
      const now = at(second * 1_000);
      now.sent(49_999);
      now.done(start + second * 1_000 - 59_999 - (second % 7), 49_999);
    }
    const side = report(seconds * 1_000, { stepMs: seriesStepMs(seconds * 1_000) });
    const series = joinSeries(side, side, 0);
    if (!series) throw new Error('no series');
    expect(pointsOf(series).length).toBeLessThanOrEqual(maxSeriesPoints);
    expect(Buffer.byteLength(JSON.stringify(series))).toBeLessThanOrEqual(64 * 1_024);
  });
});

describe('both sides together', () => {
  it('lie on one axis of the worker’s clock, though one began later', () => {
    const producer = recorderAt();
    const consumer = recorderAt();
    producer.at(0).done(start);
    consumer.at(2_000).done(start + 2_000);
    const series = joinSeries(producer.report(3_000), consumer.report(3_000), 40);
    const points = series ? pointsOf(series) : [];
    expect(points.map(({ at }) => at)).toEqual(
      [6_960, 7_960, 8_960, 9_960].map((ms) => 1_772_446_500_000 + ms),
    );
    expect(points.map(({ acked, received }) => [acked, received])).toEqual([
      [1, 0],
      [0, 0],
      [0, 1],
      [0, 0],
    ]);
    expect(points.map(({ receiveMax }) => receiveMax)).toEqual([null, null, 0, null]);
    expect(points[0]).toMatchObject({ ackedMin: 1, ackedMax: 1 });
  });

  it('is what was observed of one, where the other is gone', () => {
    const producer = recorderAt();
    producer.at(0).done(start);
    const series = joinSeries(producer.report(0), undefined, 0);
    expect(Object.keys(series?.columns ?? {})).not.toContain('received');
    expect(joinSeries(undefined, undefined, 0)).toBeUndefined();
  });
});
