import { describe, expect, it } from 'vitest';
import { rollingBaseline, worseThan } from '../../src/experiment/regression.ts';
import type { ChaosResult } from '../../src/experiment/result.ts';
import { regressions, trendOf } from '../../src/report/trend.ts';
import { trendPage } from '../../src/report/trend-html.ts';
import { trendSvg } from '../../src/report/trend-svg.ts';
import { trendText } from '../../src/report/trend-text.ts';
import { failedResult, judged, passedResult, refusedResult, steadyAt } from './example-result.ts';

/** Passed run number `day`, in which the consumer once heard nothing for so long. */
function run(day: number, longestSilenceMs: number, changed: Partial<ChaosResult> = {}): ChaosResult {
  const passed = passedResult();
  const { stream } = passed;
  const result = judged({ ...passed, ...(stream ? { stream: { ...stream, longestSilenceMs } } : {}) });
  return {
    ...result,
    run: { ...result.run, workflowId: `nightly-${day}` },
    specHash: 'same',
    startedAt: new Date(steadyAt + day * 86_400_000).toISOString(),
    ...changed,
  };
}

describe('runs over time', () => {
  it('compares each with the median of the passed runs before it, whatever order they are given in', () => {
    const runs = trendOf([run(4, 3_000), run(2, 900), run(1, 800), run(3, 700)]);
    expect(runs.map(({ workflowId }) => workflowId)).toEqual([
      'nightly-1',
      'nightly-2',
      'nightly-3',
      'nightly-4',
    ]);
    expect(runs.map(({ worse }) => worse)).toEqual([
      [],
      [],
      [],
      [{ id: 'consumer-silence', value: 3_000, before: 800 }],
    ]);
    expect(regressions(runs)).toEqual(['nightly-4: longest silence at the consumer 3.0 s, 800 ms before']);
  });

  it('holds no run against those of another spec, nor against those that did not pass', () => {
    const worse = (first: ChaosResult) => trendOf([first, run(2, 3_000)])[1]?.worse;
    expect(worse(run(1, 800))).toHaveLength(1);
    expect(worse(run(1, 800, { specHash: 'other' }))).toEqual([]);
    expect(worse(run(1, 800, { verdict: 'Inconclusive' }))).toEqual([]);
  });

  it('counts the kills of a long run whose earlier histories are no longer kept', () => {
    const killsElsewhere = { proven: 97, unproven: 0, skipped: 1 };
    const [long] = trendOf([run(1, 800, { plannedKills: 101, killsElsewhere })]);
    expect(long?.kills).toEqual({ planned: 101, proven: 100 });
  });

  it('takes the tolerance of the experiment', () => {
    const tolerant = run(2, 3_000);
    if (tolerant.experiment?.slo) tolerant.experiment.slo.regression.tolerancePercent = 1_000;
    expect(trendOf([run(1, 800), tolerant])[1]?.worse).toEqual([]);
  });

  it('rests on no more than five', () => {
    const figures = [9_000, 9_000, 9_000, 1, 2, 3, 4, 5].map((value) => ({ 'consumer-silence': value }));
    expect(rollingBaseline(figures)).toEqual({ 'consumer-silence': 3 });
    expect(rollingBaseline([])).toEqual({});
  });

  it('lets noise pass for times, and nothing for records', () => {
    expect(worseThan({ lost: 0, 'consumer-silence': 10 }, { lost: 1, 'consumer-silence': 260 })).toEqual([
      { id: 'lost', value: 1, before: 0 },
    ]);
  });

  it('are a table with what was not observed as a dash', () => {
    const text = trendText(trendOf([run(1, 800), { ...refusedResult(), startedAt: run(2, 0).startedAt }]));
    expect(text).toMatch(/2026-03-03 10:15 +│ Pass +│ 3 of 3 +│ 0 +│/);
    expect(text).toMatch(/2026-03-04 10:15 +│ Error +│ 0 of 0 +│ - +│ - +│/);
    expect(text).toContain('1 Pass, 1 Error');
    expect(trendText([])).toBe('no runs that are over\n');
  });

  it('are a page whose picture has a mark for each verdict and each figure that got worse', () => {
    const failed = { ...judged(failedResult()), startedAt: run(3, 0).startedAt };
    const runs = trendOf([run(1, 800), run(2, 3_000), failed]);
    const page = trendPage('nightly <b>', runs, trendSvg(runs));
    expect(page).toContain('nightly &#60;b&#62;');
    expect(page).toContain('nightly-2: longest silence at the consumer 3.0 s');
    expect(page.match(/fill="var\(--good\)"/g)).toHaveLength(2);
    expect(page).toContain('fill="var(--bad)"');
    const colours = [...page.matchAll(/var\((--[a-z-]+)\)/g)].map(([, name]) => name);
    for (const name of new Set(colours)) expect(page).toContain(`${name}: #`);
    expect(page).not.toMatch(/https?:\/\/(?!www\.w3\.org)/);
  });
});
