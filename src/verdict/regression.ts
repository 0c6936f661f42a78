import { comparableFigures, defaultTolerancePercent, worseThan } from '../experiment/regression.ts';
import type { Evidence } from '../experiment/result.ts';
import { sloNameOf, sloUnitOf } from '../experiment/slo.ts';
import type { VerdictLine } from '../experiment/verdict-line.ts';
import { figure, notObserved } from './words.ts';

/** Whether a figure of this run is worse than in the last run of the same spec that passed. Information, unless the spec says otherwise. */
export function regressionLine(evidence: Evidence, lines: readonly VerdictLine[]): VerdictLine {
  const { baseline, experiment } = evidence;
  // Runs that began with an earlier version have no slo.
  const { fail = false, tolerancePercent = defaultTolerancePercent } = experiment?.slo?.regression ?? {};
  const line = {
    id: 'regression',
    gate: false,
    what: 'no worse than the last passed run',
    required: `times within ${tolerancePercent} %, no more records`,
    origin: fail ? 'spec' : 'default',
  } as const;
  if (!baseline) {
    const because = ['no earlier run of this spec passed'];
    return { ...line, observed: notObserved, outcome: 'not observable', because };
  }
  const worse = worseThan(baseline.figures, comparableFigures(evidence, lines), tolerancePercent).map(
    ({ id, value, before }) => {
      const unit = sloUnitOf(id);
      return `${sloNameOf(id)}: ${figure(value, unit)}, was ${figure(before, unit)}`;
    },
  );
  const than = `than in run ${baseline.workflowId} of ${baseline.endedAt.slice(0, 16)}`;
  if (worse.length === 0) return { ...line, observed: `not worse ${than}`, outcome: 'met', because: [] };
  return {
    ...line,
    observed: `${worse.length} worse ${than}`,
    outcome: 'not met',
    ...(fail ? { leadsTo: 'Fail' as const } : {}),
    because: worse.map((one) => `worse ${than}: ${one}`),
  };
}
