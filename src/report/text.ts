import Table from 'cli-table3';
import type { Problem } from '../experiment/errors.ts';
import type { ChaosResult, KillRecord, Latency, StreamReport, Verdict } from '../experiment/result.ts';
import { clock, duration, type Paint, plain, type Tone, unpainted } from './format.ts';

const verdictTones: Record<Verdict, Tone> = {
  Pass: 'good',
  Fail: 'bad',
  Inconclusive: 'warn',
  Error: 'bad',
  Stopped: 'warn',
};

/**
 * A result for a person at a terminal: verdict and reasons first, then kills, stream, leftovers, timeline.
 * Ends with a line feed. What was not observed is a dash.
 */
export function textReport(result: ChaosResult, paint: Paint = unpainted): string {
  const sections = [
    head(result, paint),
    facts(result, paint),
    result.problem ? problem(result.problem, paint) : undefined,
    result.plannedKills > 0 ? kills(result, paint) : undefined,
    result.plannedKills > 0 ? stream(result.stream, paint) : undefined,
    leftovers(result, paint),
    timeline(result, paint),
  ];
  return `${sections.filter((section) => section !== undefined).join('\n\n')}\n`;
}

function head({ verdict, name, reasons }: ChaosResult, paint: Paint): string {
  return [
    `${paint(verdictTones[verdict], verdict)}  ${paint('strong', name)}`,
    ...reasons.map((reason) => `  - ${plain(reason)}`),
  ].join('\n');
}

function facts(result: ChaosResult, paint: Paint): string {
  const { run, kafka, startedAt, endedAt, failStep, versions } = result;
  const rows: [string, string | undefined][] = [
    ['workflow', `${run.workflowId} in Temporal namespace ${run.temporalNamespace}`],
    ['run', run.runId],
    ['time', `${startedAt} to ${clock(endedAt)} (${duration(Date.parse(endedAt) - Date.parse(startedAt))})`],
    ['failed step', failStep],
    [
      'kafka',
      kafka && `${kafka.statefulSet.namespace}/${kafka.statefulSet.name}, ${brokers(kafka.brokerIds)}`,
    ],
    ['came by', kafka && `${kafka.provisioner}, reached ${kafka.reach}`],
    ...(kafka?.packages ?? []).map((item): [string, string] => [
      'package',
      `${item.name} ${item.operatorVersion}, sha256 ${item.digest.slice(0, 12)}${rewritten(item.rewrites)}`,
    ]),
    ...Object.entries(versions).map(([name, version]): [string, string] => ['version', `${name} ${version}`]),
  ];
  return rows
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `  ${paint('dim', name.padEnd(12))}${plain(value ?? '')}`)
    .join('\n');
}

function brokers(ids: number[]): string {
  return `${ids.length} brokers (${ids.join(', ')})`;
}

function rewritten(rewrites: string[]): string {
  return rewrites.length > 0 ? `; rewritten: ${rewrites.join('; ')}` : '';
}

function problem({ code, step, message, evidence = [], next }: Problem, paint: Paint): string {
  const where = step ? ` in step ${step}` : '';
  return [
    title(`${code}${where}`, paint),
    `  ${plain(message)}`,
    ...evidence.filter((fact) => fact !== message).map((fact) => `  - ${plain(fact)}`),
    ...(next ? [`  ${paint('strong', 'next:')} ${plain(next)}`] : []),
  ].join('\n');
}

function kills({ kills: records, plannedKills }: ChaosResult, paint: Paint): string {
  const proven = records.filter((record) => record.status === 'proven').length;
  const heading = title(`Kills: ${proven} of ${plannedKills} proven`, paint);
  if (records.length === 0) return `${heading}\n  none was made`;
  const table = new Table({
    head: ['#', 'deadline', 'broker', 'pod', 'late', 'guard', 'exit', 'new leader', 'ISR full', 'outcome'],
    // Colours are the caller's; the table's own would ignore NO_COLOR.
    style: { head: [], border: [], compact: true },
    colAligns: ['right', 'left', 'right', 'left', 'right', 'right', 'right', 'right', 'right', 'left'],
  });
  for (const record of records) table.push(killRow(record));
  const remarks = records.flatMap((record) => killRemarks(record));
  return [heading, indented(table.toString()), ...remarks.map((remark) => `  ${plain(remark)}`)].join('\n');
}

function killRow({ index, deadline, plan, proof, latenessMs, status }: KillRecord): string[] {
  const leader =
    proof?.newLeader === undefined ? '-' : `${proof.newLeader} in ${duration(proof.timeToNewLeaderMs)}`;
  return [
    String(index + 1),
    clock(deadline),
    plan ? String(plan.broker) : '-',
    plan?.pod ?? '-',
    duration(latenessMs),
    plan ? duration(plan.guardWaitMs) : '-',
    proof?.exitCode === undefined ? '-' : String(proof.exitCode),
    leader,
    duration(proof?.timeToFullIsrMs),
    status,
  ];
}

function killRemarks({ index, plan, proof, reason, retargets }: KillRecord): string[] {
  const name = `kill ${index + 1}`;
  const remarks: string[] = [];
  if (reason) remarks.push(`${name}: ${reason}`);
  if (plan && plan.guardReasons.length > 0) remarks.push(`${name} waited: ${plan.guardReasons.join('; ')}`);
  if (retargets > 0) remarks.push(`${name} was aimed again ${times(retargets)}, because leadership moved`);
  if (proof?.replacementRestarts) {
    remarks.push(`${name}: the new pod restarted ${times(proof.replacementRestarts)} before it stayed`);
  }
  return remarks;
}

function stream(report: StreamReport | undefined, paint: Paint): string {
  const heading = title('Stream', paint);
  if (!report) return `${heading}\n  not observed`;
  const { acked, received, lost, duplicated, outOfOrder, unknown, silence } = report;
  const since = report.longestSilenceAt ? ` from ${clock(report.longestSilenceAt)}` : '';
  const lostText = `${lost} lost${lost > 0 ? ` (${report.lostExamples.join(', ')} …)` : ''}`;
  const rows: [string, string][] = [
    ['records', `${acked} acked, ${received} received, ${lostText}`],
    ['besides', `${duplicated} duplicated, ${outOfOrder} out of order, ${unknown} of unknown outcome`],
    [
      'silence',
      `longest ${duration(report.longestSilenceMs)}${since}; longest without an ack ${duration(report.longestAckGapMs)}`,
    ],
    ['send to ack', latency(report.sendToAck)],
    ['to receive', latency(report.sendToReceive)],
    ['drained', report.drained ? 'yes' : 'no: lost records cannot be told'],
  ];
  const lines = rows.map(([name, value]) => `  ${paint('dim', name.padEnd(12))}${value}`);
  if (silence) {
    lines.push(
      `  the consumer gave up at ${clock(silence.at)} after ${duration(silence.silentMs)}; a fresh client: ${silence.confirmed}`,
      ...silence.evidence.map((fact) => `  - ${plain(fact)}`),
    );
  }
  for (const note of report.notes) lines.push(`  note: ${plain(note)}`);
  return [heading, ...lines].join('\n');
}

function latency(figures: Latency | undefined): string {
  if (!figures) return 'not observed';
  const { p50, p99, max, count } = figures;
  return `p50 ${duration(p50)}, p99 ${duration(p99)}, max ${duration(max)} of ${count}`;
}

function leftovers({ leftovers: left }: ChaosResult, paint: Paint): string {
  if (left.length === 0) return `${title('Left behind', paint)}\n  nothing`;
  return [
    title('Left behind', paint),
    ...left.map(({ kind, name, namespace, reason }) => {
      const where = namespace ? ` in ${namespace}` : '';
      return `  ${paint('warn', `${kind}/${name}${where}`)}: ${plain(reason)}`;
    }),
  ].join('\n');
}

function timeline({ timeline: entries }: ChaosResult, paint: Paint): string | undefined {
  if (entries.length === 0) return undefined;
  const lines = entries.map(
    ({ at, step, text }) => `  ${paint('dim', clock(at))}  ${step.padEnd(9)}  ${plain(text)}`,
  );
  return [title('Timeline (UTC)', paint), ...lines].join('\n');
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}

function title(text: string, paint: Paint): string {
  return paint('strong', text);
}

function indented(text: string): string {
  return text.replace(/^/gm, '  ');
}
