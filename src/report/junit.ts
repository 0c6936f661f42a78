import type { Problem } from '../experiment/errors.ts';
import type { KillRecord } from '../experiment/kill-record.ts';
import type { ChaosResult, Verdict } from '../experiment/result.ts';
import type { VerdictLine } from '../experiment/verdict-line.ts';
import { type Case, type Outcome, suiteXml } from './junit-xml.ts';
import { textReport } from './text.ts';

/**
 * A result for CI servers, as JUnit XML: one case for the verdict, one a line that it follows from and one a kill. Only the verdict
 * can break a build: Fail is a failure; Error and Inconclusive are errors, for neither says that the cluster is well; Stopped is
 * skipped. A line that is not met breaks it along with the verdict it leads to, and else is skipped, as is a kill that was not
 * proven, because the verdict has weighed it already.
 */
export function junitReport(result: ChaosResult): string {
  const { name, run, startedAt, endedAt, kills, lines = [] } = result;
  const time = (Date.parse(endedAt) - Date.parse(startedAt)) / 1_000;
  const cases: Case[] = [
    { name: 'verdict', time, outcome: broken(result.verdict, result.reasons) },
    ...lines.map((line) => ({ name: line.what, time: 0, outcome: lineOutcome(line, result.verdict) })),
    ...kills.map(killCase),
  ];
  const { workflowId, runId } = run;
  return suiteXml({
    name,
    startedAt,
    time,
    properties: { workflowId, runId },
    cases,
    out: textReport(result),
  });
}

/** What became of a run that has no result, such as one whose start was refused: one case, an error. `at`: RFC 3339. */
export function junitProblem(
  name: string,
  { code, message, evidence = [], next }: Problem,
  at: string,
): string {
  const text = [message, ...evidence, ...(next ? [`next: ${next}`] : [])].join('\n');
  const outcome: Outcome = { element: 'error', message, type: code, text };
  return suiteXml({ name, startedAt: at, time: 0, cases: [{ name: 'start', time: 0, outcome }] });
}

function lineOutcome({ outcome, leadsTo, required, observed, because }: VerdictLine, verdict: Verdict) {
  if (outcome === 'met') return undefined;
  const said = `${outcome}: required ${required}, observed ${observed}`;
  const own = leadsTo === verdict ? broken(verdict, [said, ...because]) : undefined;
  return own ?? ({ element: 'skipped', message: said } as const);
}

/** What a verdict is to a CI server. */
function broken(verdict: Verdict, reasons: string[]): Outcome | undefined {
  if (verdict === 'Pass') return undefined;
  const [message = ''] = reasons;
  if (verdict === 'Stopped' || verdict === 'Skipped') return { element: 'skipped', message };
  const element = verdict === 'Fail' ? 'failure' : 'error';
  return { element, message, type: verdict, text: reasons.join('\n') };
}

function killCase({ index, plan, proof, status, reason }: KillRecord): Case {
  const victim = plan ? `: broker ${plan.broker}, pod ${plan.pod}` : '';
  return {
    name: `kill ${index + 1}${victim}`,
    time: (proof?.timeToFullIsrMs ?? 0) / 1_000,
    outcome: status === 'proven' ? undefined : { element: 'skipped', message: `${status}: ${reason ?? ''}` },
  };
}
