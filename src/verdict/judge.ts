import type { Evidence, Judgement, Step } from '../experiment/result.ts';
import type { VerdictLine } from '../experiment/verdict-line.ts';
import { gates } from './gates.ts';
import { ledgerLines } from './ledger-lines.ts';
import { regressionLine } from './regression.ts';
import { rules } from './rules.ts';
import { sloLines } from './slo.ts';

/** The verdict of a run, and every line it follows from. */
export function judge(evidence: Evidence): Judgement {
  const slo = sloLines(evidence);
  const lines = [
    ...gates(evidence),
    ...rules(evidence),
    ...ledgerLines(evidence),
    ...slo,
    regressionLine(evidence, slo),
  ];
  const { verdict, deciding } = verdictOf(lines);
  const failStep = verdict === 'Error' ? (evidence.problem?.step as Step | undefined) : undefined;
  const evaluated = deciding.some(({ id }) => id !== 'not-stopped' && id !== 'steps');
  return {
    verdict,
    // Two lines may rest on the same.
    reasons: [...new Set(deciding.flatMap(({ because }) => because))],
    ...(failStep ? { failStep } : verdict !== 'Pass' && evaluated ? { failStep: 'evaluate' as const } : {}),
    lines,
  };
}

/**
 * What lines come to: the first gate that is not met decides. Else one line that leads to Fail makes it Fail, before all that was
 * not observable; else one that leads to Inconclusive makes it that; else it is Pass, which rests on all that is met.
 */
export function verdictOf(
  lines: readonly VerdictLine[],
): Pick<Judgement, 'verdict'> & { deciding: VerdictLine[] } {
  const gate = lines.find((line) => line.gate && line.outcome === 'not met');
  if (gate?.leadsTo) return { verdict: gate.leadsTo, deciding: [gate] };
  for (const verdict of ['Fail', 'Inconclusive'] as const) {
    const deciding = lines.filter(({ leadsTo }) => leadsTo === verdict);
    if (deciding.length > 0) return { verdict, deciding };
  }
  return { verdict: 'Pass', deciding: lines.filter(({ outcome }) => outcome === 'met') };
}
