import type { ChaosResult } from './result.ts';
import { plannedKills } from './schedule.ts';
import { type SloId, type SloUnit, sloIds, sloUnitOf } from './slo.ts';
import type { VerdictLine } from './verdict-line.ts';

/** What the SLO lines of a run came to, in the units of their lines. */
export type Figures = Partial<Record<SloId, number>>;

/** A figure that is worse than it was. */
export interface Worse {
  id: SloId;
  value: number;
  before: number;
}

/** Times may be so much longer before that counts, where the experiment does not say. % */
export const defaultTolerancePercent = 50;

/** Differences up to this are a busy machine's, whatever the tolerance. */
const noise: Record<SloUnit, number> = { records: 0, ms: 250, '%': 10 };

/** Passed runs that a rolling baseline rests on, at most. */
const rollingRuns = 5;

/** The figures of a run, as far as they were observed. */
export function figuresOf(lines: readonly VerdictLine[] = []): Figures {
  const known: readonly string[] = sloIds;
  return Object.fromEntries(
    lines.flatMap(({ id, value }) =>
      known.includes(id) && value !== undefined ? [[id, value] as const] : [],
    ),
  );
}

/**
 * Those of a run's figures that others of its spec can be compared with: outages add up over kills, so their sum says nothing
 * where a person extended it.
 */
export function comparableFigures(
  { plannedKills: kills, experiment }: Pick<ChaosResult, 'plannedKills' | 'experiment'>,
  lines: readonly VerdictLine[] = [],
): Figures {
  const figures = figuresOf(lines);
  const { 'producer-outage-total': _total, ...others } = figures;
  return experiment && kills !== plannedKills(experiment.schedule) ? others : figures;
}

/** Which figures are worse than before: records by any number, the others by more than the tolerance and the noise. */
export function worseThan(
  before: Figures,
  now: Figures,
  tolerancePercent = defaultTolerancePercent,
): Worse[] {
  return sloIds.flatMap((id) => {
    const [was, value] = [before[id], now[id]];
    if (was === undefined || value === undefined) return [];
    const unit = sloUnitOf(id);
    const tolerated = unit === 'records' ? was : was * (1 + tolerancePercent / 100);
    return value > tolerated + noise[unit] ? [{ id, value, before: was }] : [];
  });
}

/** What the last passed runs, given oldest first, came to: of each figure the median, the lower of two in the middle. */
export function rollingBaseline(passed: readonly Figures[]): Figures {
  const last = passed.slice(-rollingRuns);
  return Object.fromEntries(
    sloIds.flatMap((id) => {
      const seen = last.map((figures) => figures[id]).filter((value) => value !== undefined);
      const middle = seen.toSorted((a, b) => a - b)[Math.ceil(seen.length / 2) - 1];
      return middle === undefined ? [] : [[id, middle] as const];
    }),
  );
}
