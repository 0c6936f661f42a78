import type { Problem } from '../experiment/errors.ts';
import type { KillRecord } from '../experiment/kill-record.ts';
import type { ChaosResult } from '../experiment/result.ts';
import type { StreamReport } from '../experiment/stream-report.ts';
import type { LineOutcome, VerdictLine } from '../experiment/verdict-line.ts';
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
import { clock, duration } from './format.ts';
import { type Html, html } from './html-tag.ts';
import { experimentFile } from './rerun.ts';
import { outageTable, shrinkTable, streamFacts, streamRemarks } from './stream-facts.ts';
import { othersNote, tellingKills } from './telling-kills.ts';

/** A part of a page under its heading. */
export function section(title: string, parts: (Html | undefined)[]): Html {
  return html`<section><h2>${title}</h2>${parts.filter((part) => part !== undefined)}</section>`;
}

/** What stopped a run, and what to do next. */
export function problemSection({ code, step, message, evidence = [], next }: Problem): Html {
  const others = evidence.filter((fact) => fact !== message);
  return section(step ? `${code} in step ${step}` : code, [
    html`<p>${message}</p>`,
    notes(others),
    next === undefined ? undefined : html`<p><b>Next:</b> ${next}</p>`,
  ]);
}

/** The few figures that one looks for first; what was not observed is a dash. */
export function figures(result: ChaosResult): Html {
  const { kills, stream } = result;
  const worst = (times: (number | undefined)[]) => {
    const seen = times.filter((time) => time !== undefined);
    return seen.length > 0 ? duration(Math.max(...seen)) : '-';
  };
  const shown: Fact[] = [
    ['kills', provenKills(result)],
    // Without the end of the log, what was not read is not known to be lost.
    ['records lost', stream?.drained ? `${stream.lost} of ${stream.acked}` : '-'],
    ['longest silence', duration(stream?.longestSilenceMs)],
    ['slowest new leader', worst(kills.map(({ proof }) => proof?.timeToNewLeaderMs))],
    ['slowest full ISR', worst(kills.map(({ proof }) => proof?.timeToFullIsrMs))],
  ];
  return html`<div class="figures">${shown.map(([name, value]) => html`<div><span class="faint">${name}</span><b>${value}</b></div>`)}</div>`;
}

/** Told apart without colour, as the verdicts are. */
const outcomeSigns: Record<LineOutcome, string> = { met: '✓', 'not met': '✗', 'not observable': '?' };

/** What was required, what was observed, what came of it. */
export function lineSection(lines: VerdictLine[]): Html {
  const { head, rows } = lineTable(lines);
  return section('What the verdict follows from', [
    tableOf(
      head,
      rows.map((cells, index) => {
        const outcome = lines[index]?.outcome ?? 'not observable';
        return row(cells.with(-1, `${outcomeSigns[outcome]} ${outcome}`), outcome);
      }),
    ),
  ]);
}

/** Each kill with its proofs. */
export function killSection(result: ChaosResult): Html {
  const { head, rows } = killTable(result.kills);
  if (rows.length === 0) return section('Kills', [html`<p>None was made.</p>`]);
  const telling = tellingKills(result.kills);
  const note = othersNote(telling);
  return section('Kills', [
    note === undefined ? undefined : html`<p class="faint">${note}</p>`,
    tableOf(
      head,
      result.kills.map((kill, index) => killRows(kill, rows[index] ?? [], telling.told.includes(kill))),
    ),
  ]);
}

/** What the run made and could not remove. */
export function leftoverSection({ leftovers }: ChaosResult): Html {
  const lines = leftovers.map((left) => `${leftoverName(left)}: ${left.reason}`);
  return section('Left behind', [notes(lines, 'Nothing.')]);
}

/** Which run it was, and the versions and settings that bound its result. */
export function environmentSection(result: ChaosResult): Html {
  return section('Environment', [facts([...runFacts(result), ...environmentFacts(result)])]);
}

/** What became of the records, and each outage. */
export function streamSection(stream: StreamReport): Html {
  const outages = outageTable(stream);
  const shrinks = shrinkTable(stream);
  const { shrinkCount = shrinks.rows.length } = stream.metadata ?? {};
  const listed = shrinkCount > shrinks.rows.length ? `the first ${shrinks.rows.length} of ` : '';
  return section('Stream', [
    facts(streamFacts(stream)),
    foldedTable(`the ${outages.rows.length} longest outages`, outages),
    foldedTable(`the ISR when it was not full (${listed}${shrinkCount})`, shrinks),
    notes(streamRemarks(stream)),
  ]);
}

function foldedTable(summary: string, { head, rows }: FactTable): Html | undefined {
  if (rows.length === 0) return undefined;
  const lines = rows.map((cells) => html`<tr>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`);
  return html`<details><summary>${summary}</summary>${tableOf(head, lines)}</details>`;
}

/** A table that scrolls by itself where it is wider than the page. */
export function tableOf(head: string[], rows: Html[]): Html {
  return html`<div class="wide"><table>
<thead><tr>${head.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${rows}</tbody>
</table></div>`;
}

/** A row whose last cell is an outcome, coloured by it. Without the end tags that HTML does not need: there may be many rows. */
function row(cells: string[], outcome: string): Html {
  const last = html`<td class="${outcome.replace(' ', '-')}">${cells.at(-1)}`;
  return html`<tr>${cells.slice(0, -1).map((cell) => html`<td>${cell}`)}${last}`;
}

function killRows(kill: KillRecord, cells: string[], told: boolean): Html {
  const said = !told ? [] : [...(kill.proof?.evidence ?? []), ...killRemarks(kill)];
  return html`${row(cells, kill.status)}
${said.length > 0 && html`<tr><td class="proof" colspan="${cells.length}"><ul>${said.map((fact) => html`<li>${fact}</li>`)}</ul></td></tr>`}`;
}

function facts(rows: Fact[]): Html {
  return html`<dl>${rows.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
}

/** Texts as a list, or `none`. */
export function notes(lines: string[], none?: string): Html | undefined {
  if (lines.length > 0) return html`<ul class="notes">${lines.map((line) => html`<li>${line}</li>`)}</ul>`;
  return none === undefined ? undefined : html`<p>${none}</p>`;
}

/** How to run the experiment, and to make the page, once more. */
export function againSection(result: ChaosResult): Html | undefined {
  const file = experimentFile(result);
  if (file === undefined) return undefined;
  return section('Run it again', [
    html`<p><code>leaderfall run -f FILE</code> with this file. This page again, for as long as Temporal keeps the run:
<code>leaderfall report ${result.run.workflowId} --run-id ${result.run.runId} --html</code></p>`,
    html`<details><summary>the file</summary><pre>${file}</pre></details>`,
  ]);
}

/** What happened when, folded. */
export function eventSection({ timeline }: ChaosResult): Html | undefined {
  if (timeline.length === 0) return undefined;
  const rows = timeline.map(
    ({ at, step, text }) => html`<tr><td>${clock(at)}</td><td>${step}</td><td>${text}</td></tr>`,
  );
  return section('Events', [
    html`<details><summary>${timeline.length} events, UTC</summary><div class="wide"><table><tbody>${rows}</tbody></table></div></details>`,
  ]);
}
