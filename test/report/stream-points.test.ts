import { describe, expect, it } from 'vitest';
import { streamPoints } from '../../src/report/stream-points.ts';

const series = (from: number, stepMs: number, acked: number[]) => ({ from, stepMs, columns: { acked } });
const told = (points: ReturnType<typeof streamPoints>) =>
  points.map(({ at, until, acked }) => `${at / 1_000}..${until / 1_000} ${acked}`);

describe('the points of a run', () => {
  it('are the finest that its histories hold, and coarse where there is no part', () => {
    const whole = series(0, 20_000, [50, 51, 52, 53]);
    const parts = [{ series: series(20_000, 5_000, [1, 2, 3]) }, { series: series(30_000, 5_000, [4, 5]) }];
    expect(told(streamPoints({ series: whole, parts }))).toEqual([
      '0..20 50',
      '20..25 1',
      '25..30 2',
      // The part after it has the whole of that step.
      '30..35 4',
      '35..40 5',
      '40..60 52',
      '60..80 53',
    ]);
  });

  it('are those of the whole run, or of its parts, where that is all there is', () => {
    expect(told(streamPoints({ series: series(0, 1_000, [7, 8]) }))).toEqual(['0..1 7', '1..2 8']);
    expect(told(streamPoints({ parts: [{}, { series: series(0, 1_000, [7]) }] }))).toEqual(['0..1 7']);
    expect(streamPoints({})).toEqual([]);
  });
});
