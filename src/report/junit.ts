import type { ChaosResult, KillRecord, Verdict } from '../experiment/result.ts';
import type { VerdictLine } from '../experiment/verdict-line.ts';
import { textReport } from './text.ts';

/** What a case came to; a passed one has none. */
interface Outcome {
  element: 'failure' | 'error' | 'skipped';
  message: string;
  type?: string;
  text?: string;
}

/** One case. Seconds. */
interface Case {
  name: string;
  time: number;
  outcome?: Outcome;
}

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
  const count = (element: Outcome['element']) =>
    cases.filter(({ outcome }) => outcome?.element === element).length;
  const totals = {
    tests: cases.length,
    failures: count('failure'),
    errors: count('error'),
    skipped: count('skipped'),
    time: time.toFixed(3),
  };
  const suite = { name: `leaderfall ${name}`, timestamp: startedAt, ...totals };
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributes(totals)}>`,
    `  <testsuite${attributes(suite)}>`,
    `    <properties>${property('workflowId', run.workflowId)}${property('runId', run.runId)}</properties>`,
    ...cases.map((one) => `    ${caseXml(one, name)}`),
    `    <system-out>${escaped(textReport(result))}</system-out>`,
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
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

function caseXml({ name, time, outcome }: Case, classname: string): string {
  const open = `<testcase${attributes({ classname, name, time: time.toFixed(3) })}>`;
  if (!outcome) return `${open}</testcase>`;
  const { element, message, type, text = '' } = outcome;
  const told = attributes({ message, ...(type ? { type } : {}) });
  const inner = text ? `<${element}${told}>${escaped(text)}</${element}>` : `<${element}${told}/>`;
  return `${open}${inner}</testcase>`;
}

function property(name: string, value: string): string {
  return `<property${attributes({ name, value })}/>`;
}

function attributes(values: Record<string, string | number>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${escaped(String(value))}"`)
    .join('');
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** XML 1.0 has no way at all to write most control characters. */
function escaped(text: string): string {
  return text
    .replace(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replace(/[&<>"]/g, (character) => entities[character] ?? character);
}
