import type { Evidence } from '../experiment/result.ts';
import { type SloId, type SloLimit, sloLimits } from '../experiment/slo.ts';
import type { VerdictLine } from '../experiment/verdict-line.ts';
import { type Sight, sightOf } from './sights.ts';
import { figure, notObserved } from './words.ts';

/** Figures that a Pass rests on, asked for or not: what happened to the data. */
const dataIds: readonly SloId[] = ['lost', 'duplicates', 'reorders'];

/** A run that never came to have limits cannot have kept to them. */
const unlimited: VerdictLine = {
  id: 'lost',
  gate: false,
  what: 'acknowledged records lost',
  required: 'the experiment’s limits',
  observed: notObserved,
  outcome: 'not observable',
  leadsTo: 'Inconclusive',
  because: ['the experiment was never resolved'],
};

/**
 * One line for each limit. Above it is Fail. What was not observed is Inconclusive where the spec asks for it or where it is about
 * data; a time that only a default limits may stay unseen.
 */
export function sloLines(evidence: Evidence): VerdictLine[] {
  if (!evidence.experiment) return [unlimited];
  return sloLimits(evidence.experiment, evidence.plannedKills).map((limit) =>
    withStop(lineOf(limit, sightOf(limit, evidence)), evidence),
  );
}

/** The line that stopped the injecting says so, whatever the end of the stream made of its figure. */
function withStop(line: VerdictLine, { injectingStopped }: Evidence): VerdictLine {
  const { at = 0, broken } = injectingStopped ?? {};
  if (!broken || broken.id !== line.id || !line.unit) return line;
  const stopped = `at ${figure(broken.value, line.unit)} it stopped the injecting (abortOn)`;
  return { ...line, because: [...line.because, `${stopped}: no kill after ${new Date(at).toISOString()}`] };
}

function lineOf({ id, what, unit, limit, origin }: SloLimit, sight: Sight): VerdictLine {
  const { value, none, atLeast, inflatedBy, because = [] } = sight;
  const line = { id, gate: false, what, required: `≤ ${figure(limit, unit)}`, limit, unit, origin };
  const allowed = `at most ${figure(limit, unit)} allowed`;
  if (value !== undefined && value > limit && !inflatedBy) {
    const observed = `${atLeast ? '≥ ' : ''}${figure(value, unit)}`;
    const [fact = `${what}: ${observed}`, ...more] = because;
    const facts = [`${fact}; ${allowed}`, ...more];
    return { ...line, value, observed, outcome: 'not met', leadsTo: 'Fail', because: facts };
  }
  if (value !== undefined && value <= limit && !atLeast) {
    return { ...line, value, observed: figure(value, unit), outcome: 'met', because };
  }
  if (none) return { ...line, observed: 'none', outcome: 'met', because: [none] };
  const counts = origin === 'spec' || dataIds.includes(id);
  const why =
    inflatedBy && value !== undefined
      ? [`${what}: ${figure(value, unit)}; ${allowed}`, ...inflatedBy]
      : because;
  return {
    ...line,
    observed: inflatedBy && value !== undefined ? `≤ ${figure(value, unit)}` : notObserved,
    outcome: 'not observable',
    ...(counts ? { leadsTo: 'Inconclusive' as const } : {}),
    because: why.length > 0 || !counts ? why : [`${what}: not observed`],
  };
}
