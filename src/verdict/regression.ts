import type { Evidence } from '../experiment/result.ts';
import type { SloUnit } from '../experiment/slo.ts';
import type { VerdictLine } from '../experiment/verdict-line.ts';
import { figure, notObserved } from './words.ts';

/** Differences up to this are a busy machine's, whatever the tolerance. */
const noise: Record<SloUnit, number> = { records: 0, ms: 250, '%': 10 };

/** Whether a figure of this run is worse than in the last run of the same spec that passed. Information, unless the spec says otherwise. */
export function regressionLine(evidence: Evidence, lines: readonly VerdictLine[]): VerdictLine {
  const { baseline, experiment } = evidence;
  // Runs that began with an earlier version have no slo.
  const { fail = false, tolerancePercent = 50 } = experiment?.slo?.regression ?? {};
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
  const worse = lines.flatMap(({ id, what, value, unit }) => {
    const before = (baseline.figures as Partial<Record<string, number>>)[id];
    if (before === undefined || value === undefined || unit === undefined) return [];
    const tolerated = unit === 'records' ? before : before * (1 + tolerancePercent / 100);
    if (value <= tolerated + noise[unit]) return [];
    return [`${what}: ${figure(value, unit)}, was ${figure(before, unit)}`];
  });
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
