import { countKills } from '../experiment/earlier-kills.ts';
import {
  comparableFigures,
  type Figures,
  figuresOf,
  rollingBaseline,
  type Worse,
  worseThan,
} from '../experiment/regression.ts';
import type { ChaosResult, Verdict } from '../experiment/result.ts';
import { type SloId, sloNameOf, sloUnitOf } from '../experiment/slo.ts';
import { duration } from './format.ts';

/** One run among those of a schedule. */
export interface TrendRun {
  workflowId: string;
  runId: string;
  /** RFC 3339. */
  startedAt: string;
  verdict: Verdict;
  kills: { planned: number; proven: number };
  /** What its SLO lines came to; empty where it was not judged. */
  figures: Figures;
  /** Figures worse than the rolling baseline: the median of up to five passed runs of the same spec before this one. */
  worse: Worse[];
}

/** Runs over time, oldest first, each beside those that passed before it. */
export function trendOf(results: readonly ChaosResult[]): TrendRun[] {
  const passed = new Map<string, Figures[]>();
  return results
    .toSorted((a, b) => Date.parse(a.startedAt) - Date.parse(b.startedAt))
    .map((result) => {
      const { run, startedAt, verdict, plannedKills, lines, specHash = '', experiment } = result;
      const comparable = comparableFigures(result, lines);
      const before = passed.get(specHash) ?? [];
      if (verdict === 'Pass') passed.set(specHash, [...before, comparable]);
      return {
        workflowId: run.workflowId,
        runId: run.runId,
        startedAt,
        verdict,
        kills: { planned: plannedKills, proven: countKills(result, 'proven') },
        figures: figuresOf(lines),
        worse: worseThan(rollingBaseline(before), comparable, experiment?.slo?.regression?.tolerancePercent),
      };
    });
}

/** `3 Pass, 1 Fail` */
export function verdictCounts(runs: readonly TrendRun[]): string {
  const counts = Map.groupBy(runs, ({ verdict }) => verdict);
  return [...counts].map(([verdict, { length }]) => `${length} ${verdict}`).join(', ');
}

/** Figures that a table of runs has room for, with the heads of their columns. */
const columns: [id: SloId, head: string][] = [
  ['lost', 'lost'],
  ['producer-outage-max', 'outage'],
  ['consumer-silence', 'silence'],
  ['time-to-new-leader', 'new leader'],
  ['time-to-full-isr', 'full ISR'],
  ['p99-inside-fault', 'p99 in fault'],
  ['p99-outside-fault', 'p99 outside'],
];

/** One row a run; what was not observed is a dash. */
export function trendTable(runs: readonly TrendRun[]): { head: string[]; rows: string[][] } {
  return {
    head: ['started (UTC)', 'verdict', 'kills', ...columns.map(([, head]) => head), 'worse', 'run'],
    rows: runs.map(({ startedAt, verdict, kills, figures, worse, workflowId }) => [
      startedAt.slice(0, 16).replace('T', ' '),
      verdict,
      `${kills.proven} of ${kills.planned}`,
      ...columns.map(([id]) => figureText(id, figures[id])),
      worse.length === 0 ? '' : String(worse.length),
      workflowId,
    ]),
  };
}

/** `nightly-2026…: longest producer outage 4.2 s, 1.1 s before`, one for each figure that is worse than the rolling baseline. */
export function regressions(runs: readonly TrendRun[]): string[] {
  return runs.flatMap(({ workflowId, worse }) =>
    worse.map(
      ({ id, value, before }) =>
        `${workflowId}: ${sloNameOf(id)} ${figureText(id, value)}, ${figureText(id, before)} before`,
    ),
  );
}

function figureText(id: SloId, value: number | undefined): string {
  if (value === undefined) return '-';
  const unit = sloUnitOf(id);
  if (unit === 'ms') return duration(value);
  return unit === '%' ? `${Math.round(value)} %` : String(value);
}
