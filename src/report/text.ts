import Table from 'cli-table3';
import type { Problem } from '../experiment/errors.ts';
import type { ChaosResult, Verdict } from '../experiment/result.ts';
import type { StreamReport } from '../experiment/stream-report.ts';
import type { VerdictLine } from '../experiment/verdict-line.ts';
import {
  environmentFacts,
  type Fact,
  type FactTable,
  killRemarks,
  killTable,
  leftoverName,
  lineTable,
  provenKills,
  runFacts,
} from './facts.ts';
import { clock, type Paint, plain, type Tone, unpainted } from './format.ts';
import { outageTable, shrinkTable, streamFacts, streamRemarks } from './stream-facts.ts';
import { othersNote, tellingKills } from './telling-kills.ts';

const verdictTones: Record<Verdict, Tone> = {
  Pass: 'good',
  Fail: 'bad',
  Inconclusive: 'warn',
  Error: 'bad',
  Stopped: 'warn',
  Skipped: 'warn',
};

/** More would push what matters off the screen; the page shows all. */
const rowsShown = 8;

/**
 * A result for a person at a terminal: verdict and reasons first, then kills, stream, leftovers, timeline.
 * Ends with a line feed. What was not observed is a dash.
 */
export function textReport(result: ChaosResult, paint: Paint = unpainted): string {
  const sections = [
    head(result, paint),
    factLines([...runFacts(result), ...environmentFacts(result)], paint),
    result.problem ? problem(result.problem, paint) : undefined,
    result.lines ? verdictLines(result.lines, paint) : undefined,
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

function factLines(facts: Fact[], paint: Paint): string {
  const width = Math.max(12, ...facts.map(([name]) => name.length + 2));
  return facts.map(([name, value]) => `  ${paint('dim', name.padEnd(width))}${plain(value)}`).join('\n');
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

function verdictLines(lines: VerdictLine[], paint: Paint): string {
  return [title('What the verdict follows from', paint), indented(tableText(lineTable(lines)))].join('\n');
}

function kills(result: ChaosResult, paint: Paint): string {
  const heading = title(`Kills: ${provenKills(result)}`, paint);
  if (result.kills.length === 0) return `${heading}\n  none was made`;
  const telling = tellingKills(result.kills);
  const note = othersNote(telling);
  const remarks = [...(note ? [note] : []), ...telling.told.flatMap(killRemarks)];
  return [
    heading,
    indented(tableText(killTable(result.kills))),
    ...remarks.map((remark) => `  ${plain(remark)}`),
  ].join('\n');
}

function stream(report: StreamReport | undefined, paint: Paint): string {
  const heading = title('Stream', paint);
  if (!report) return `${heading}\n  not observed`;
  const remarks = streamRemarks(report).map((remark) => `  ${plain(remark)}`);
  const tables = [outageTable(report, rowsShown), shrinkTable(report, rowsShown)];
  const shown = tables.filter(({ rows }) => rows.length > 0).map((table) => indented(tableText(table)));
  return [heading, factLines(streamFacts(report), paint), ...shown, ...remarks].join('\n');
}

function leftovers({ leftovers: left }: ChaosResult, paint: Paint): string {
  if (left.length === 0) return `${title('Left behind', paint)}\n  nothing`;
  const lines = left.map((item) => `  ${paint('warn', leftoverName(item))}: ${plain(item.reason)}`);
  return [title('Left behind', paint), ...lines].join('\n');
}

function timeline({ timeline: entries }: ChaosResult, paint: Paint): string | undefined {
  if (entries.length === 0) return undefined;
  const lines = entries.map(
    ({ at, step, text }) => `  ${paint('dim', clock(at))}  ${step.padEnd(9)}  ${plain(text)}`,
  );
  return [title('Timeline (UTC)', paint), ...lines].join('\n');
}

/** Figures to the right, words to the left. */
function tableText({ head, rows }: FactTable): string {
  const figures = head.map((_, index) => rows.every((row) => /^(-|\d.*)$/.test(row[index] ?? '')));
  // Colours are the caller's; the table's own would ignore NO_COLOR.
  const table = new Table({
    head,
    style: { head: [], border: [], compact: true },
    colAligns: figures.map((right) => (right ? 'right' : 'left')),
  });
  table.push(...rows.map((row) => row.map(plain)));
  return table.toString();
}

function title(text: string, paint: Paint): string {
  return paint('strong', text);
}

function indented(text: string): string {
  return text.replace(/^/gm, '  ');
}
