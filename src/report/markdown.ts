import type { Problem } from '../experiment/errors.ts';
import type { KillRecord } from '../experiment/kill-record.ts';
import type { ChaosResult, Verdict } from '../experiment/result.ts';
import type { StreamReport } from '../experiment/stream-report.ts';
import type { LineOutcome } from '../experiment/verdict-line.ts';
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
import { clock, plain } from './format.ts';
import { experimentFile } from './rerun.ts';
import { outageTable, shrinkTable, streamFacts, streamRemarks } from './stream-facts.ts';
import { othersNote, tellingKills } from './telling-kills.ts';

const signs: Record<Verdict, string> = {
  Pass: '✅',
  Fail: '❌',
  Inconclusive: '⚠️',
  Error: '❌',
  Stopped: '⏹️',
  Skipped: '⏭️',
};

const outcomeSigns: Record<string, string> = {
  met: '✅',
  'not met': '❌',
  'not observable': '❔',
} satisfies Record<LineOutcome, string>;

/**
 * A result for the summary of a CI job, in the Markdown that GitHub and GitLab share: verdict, reasons and tables in sight,
 * the rest folded. Ends with a line feed. Whatever a cluster says is escaped.
 */
export function markdownReport(result: ChaosResult): string {
  const { verdict, name, reasons, problem, lines, kills, plannedKills, stream, leftovers, timeline } = result;
  const file = experimentFile(result);
  const telling = tellingKills(kills);
  const sections = [
    `## ${signs[verdict]} ${verdict} · ${escaped(name)}`,
    list(reasons),
    problem && problemSection(problem),
    lines && '### What the verdict follows from',
    lines && table(signed(lineTable(lines))),
    plannedKills > 0 && `### Kills: ${provenKills(result)}`,
    plannedKills > 0 && (kills.length > 0 ? table(killTable(kills)) : 'None was made.'),
    leftovers.length > 0 && '### Left behind',
    list(leftovers.map((item) => `${leftoverName(item)}: ${item.reason}`)),
    stream && folded('Stream', streamSections(stream)),
    kills.length > 0 && folded('Proofs', [othersNote(telling) ?? '', list(telling.told.flatMap(killFacts))]),
    folded('Environment', [facts([...runFacts(result), ...environmentFacts(result)])]),
    timeline.length > 0 &&
      folded('Timeline (UTC)', [
        table({
          head: ['time', 'step', 'what'],
          rows: timeline.map(({ at, step, text }) => [clock(at), step, text]),
        }),
      ]),
    file && folded('Run it again', ['`leaderfall run -f FILE` with this file:', fenced(file, 'yaml')]),
  ];
  return `${joined(sections)}\n`;
}

/** What became of a run that has no result, such as one whose start was refused. Ends with a line feed. */
export function markdownProblem(name: string, found: Problem): string {
  return `${joined([`## ${escaped(name)}: ${found.code}`, ...problemParts(found)])}\n`;
}

function problemSection(found: Problem): string {
  const { code, step } = found;
  return joined([`### ${code}${step ? ` in step ${escaped(step)}` : ''}`, ...problemParts(found)]);
}

function problemParts({ message, evidence = [], next }: Problem): (string | undefined)[] {
  const facts = evidence.filter((fact) => fact !== message);
  return [escaped(message), list(facts), next && `**Next:** ${escaped(next)}`];
}

function streamSections(stream: StreamReport): string[] {
  const tables = [outageTable(stream), shrinkTable(stream)].filter(({ rows }) => rows.length > 0);
  return [facts(streamFacts(stream)), ...tables.map(table), list(streamRemarks(stream))];
}

/** The table with a sign before each outcome, for the eye that runs down a column. */
function signed({ head, rows }: FactTable): FactTable {
  return {
    head,
    rows: rows.map((row) => row.with(-1, `${outcomeSigns[row.at(-1) ?? ''] ?? ''} ${row.at(-1)}`)),
  };
}

function killFacts(kill: KillRecord): string[] {
  const evidence = kill.proof?.evidence ?? [];
  return [...evidence.map((fact) => `kill ${kill.index + 1}: ${fact}`), ...killRemarks(kill)];
}

function facts(rows: Fact[]): string {
  return table({ head: ['', ''], rows });
}

/** A table whose cells are escaped. */
export function table({ head, rows }: FactTable): string {
  const line = (cells: string[]) => `| ${cells.map(escaped).join(' | ')} |`;
  return [line(head), `|${' --- |'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

function list(items: string[]): string {
  return items.map((item) => `- ${escaped(item)}`).join('\n');
}

/** GitHub and GitLab read Markdown within an element only after an empty line. */
function folded(summary: string, sections: string[]): string {
  return joined([`<details><summary>${summary}</summary>`, ...sections, '</details>']);
}

/** A fence longer than any run of backticks within. */
function fenced(text: string, language: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${text}${fence}`;
}

function joined(sections: (string | false | undefined)[]): string {
  return sections.filter((section) => section).join('\n\n');
}

/** One line that is read as the text it is: neither markup, nor HTML, nor the end of a cell, nor a mention of somebody. */
export function escaped(text: string): string {
  return plain(text)
    .replace(/[\\`*_[\]|~#]/g, '\\$&')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/@/g, '&#64;');
}
