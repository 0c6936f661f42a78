import { describe, expect, it } from 'vitest';
import { unpackChanges } from '../../src/experiment/partition-changes.ts';
import { maxSeriesPoints } from '../../src/experiment/series.ts';
import { partMs } from '../../src/experiment/stream-part.ts';
import { steadyAt } from '../report/example-result.ts';
import { hourPart } from '../report/soak-result.ts';

const minute = 60_000;

describe('the parts of a run', () => {
  it('are none of a short one, quarters of an hour of a longer one, and twenty-four of a day', () => {
    expect([1, 10, 15].map((minutes) => partMs(minutes * minute))).toEqual([undefined, undefined, undefined]);
    expect([16, 120, 360].map((minutes) => partMs(minutes * minute))).toEqual(Array(3).fill(15 * minute));
    expect(partMs(1_440 * minute)).toBe(60 * minute);
  });

  it('of a day with a kill a minute are below 64 KiB each, and below 1 MiB together', () => {
    const { series, changes } = hourPart(steadyAt);
    expect(changes && unpackChanges(changes)).toHaveLength(60 * 5);
    // As wide as figures of 1,000 records a second and outages get, point for point.
    const widest = Object.keys(series?.columns ?? {}).map((name) => [
      name,
      Array(maxSeriesPoints).fill(1000.5),
    ]);
    const part = { series: { ...series, columns: Object.fromEntries(widest) }, changes };
    const bytes = Buffer.byteLength(JSON.stringify(part));
    expect(bytes).toBeLessThanOrEqual(64 * 1_024);
    // Beside them there is the series of the whole run.
    expect(24 * bytes + 64 * 1_024).toBeLessThanOrEqual(1_024 * 1_024);
  });
});
