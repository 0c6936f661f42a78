import type { ChaosResult, KillRecord } from '../experiment/result.ts';
import { textReport } from './text.ts';

/**
 * A result for CI servers, as JUnit XML: one case for the verdict and one a kill. Only the verdict can break a build:
 * Fail is a failure; Error and Inconclusive are errors, for neither says that the cluster is well; Stopped is skipped.
 * A kill that was not proven is skipped, because the verdict has weighed it already.
 */
export function junitReport(result: ChaosResult): string {
  const { verdict, name, startedAt, endedAt, kills } = result;
  const cases = [verdictCase(result), ...kills.map((kill) => killCase(kill, name))];
  const skipped = kills.filter(({ status }) => status !== 'proven').length + (verdict === 'Stopped' ? 1 : 0);
  const failures = verdict === 'Fail' ? 1 : 0;
  const errors = verdict === 'Error' || verdict === 'Inconclusive' ? 1 : 0;
  const totals = { tests: cases.length, failures, errors, skipped, time: seconds(startedAt, endedAt) };
  const suite = { name: `leaderfall ${name}`, timestamp: startedAt, ...totals };
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributes(totals)}>`,
    `  <testsuite${attributes(suite)}>`,
    `    <properties>${property('workflowId', result.run.workflowId)}${property('runId', result.run.runId)}</properties>`,
    ...cases.map((xml) => `    ${xml}`),
    `    <system-out>${escaped(textReport(result))}</system-out>`,
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function verdictCase({ verdict, name, reasons, startedAt, endedAt }: ChaosResult): string {
  const open = `<testcase${attributes({ classname: name, name: 'verdict', time: seconds(startedAt, endedAt) })}>`;
  const close = '</testcase>';
  if (verdict === 'Pass') return `${open}${close}`;
  const message = attributes({ message: reasons[0] ?? '' });
  if (verdict === 'Stopped') return `${open}<skipped${message}/>${close}`;
  const element = verdict === 'Fail' ? 'failure' : 'error';
  const said = attributes({ type: verdict });
  return `${open}<${element}${message}${said}>${escaped(reasons.join('\n'))}</${element}>${close}`;
}

function killCase({ index, plan, proof, status, reason }: KillRecord, name: string): string {
  const victim = plan ? `: broker ${plan.broker}, pod ${plan.pod}` : '';
  const time = ((proof?.timeToFullIsrMs ?? 0) / 1_000).toFixed(3);
  const open = `<testcase${attributes({ classname: name, name: `kill ${index + 1}${victim}`, time })}>`;
  const inner =
    status === 'proven' ? '' : `<skipped${attributes({ message: `${status}: ${reason ?? ''}` })}/>`;
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

function seconds(from: string, to: string): string {
  return ((Date.parse(to) - Date.parse(from)) / 1_000).toFixed(3);
}
