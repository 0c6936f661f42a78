import type { Problem } from '../experiment/errors.ts';
import type { ChaosResult, KillRecord, Verdict } from '../experiment/result.ts';
import type { LineOutcome, VerdictLine } from '../experiment/verdict-line.ts';
import {
  environmentFacts,
  type Fact,
  killRemarks,
  killTable,
  leftoverName,
  lineTable,
  provenKills,
  runFacts,
  streamFacts,
  streamRemarks,
} from './facts.ts';
import { clock, duration } from './format.ts';
import { styleSheet } from './html-style.ts';
import { type Html, html, trusted } from './html-tag.ts';
import { timelineFigure } from './html-timeline.ts';
import { experimentFile } from './rerun.ts';

/** Told apart without colour. */
const signs: Record<Verdict, string> = { Pass: '✓', Fail: '✗', Inconclusive: '?', Error: '!', Stopped: '■', Skipped: '»' };

/** Nothing is loaded from anywhere: the page is the same without a network, and a text of a cluster can do nothing. */
const policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:";

/** Packed, the program takes 280 KB instead of 630, which leaves room for a long run within 1 MB. */
const loader = `
const packed = Uint8Array.from(atob(document.querySelector('#program').textContent), (c) => c.charCodeAt(0));
const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
const script = document.createElement('script');
script.textContent = await new Response(stream).text();
document.body.append(script);
`;

/**
 * A result as one page that needs nothing else: verdict and reasons, the timeline, kills with their proofs, environment, how to
 * run it again. `program` is the script that draws the timeline from the result, which the page holds as JSON; gzip in base64.
 */
export function htmlReport(result: ChaosResult, program: string): string {
  const { verdict, name, reasons, problem, lines, kills, stream } = result;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${verdict}: ${name}</title>
<style>${trusted(styleSheet)}</style>
</head>
<body>
<main>
<header>
<h1><span class="verdict ${verdict}">${signs[verdict]} ${verdict}</span> ${name}</h1>
<ul class="reasons">${reasons.map((reason) => html`<li>${reason}</li>`)}</ul>
</header>
${problem && problemSection(problem)}
${result.plannedKills > 0 && figures(result)}
${timelineFigure(result)}
${lines && lineSection(lines)}
${result.plannedKills > 0 && killSection(result)}
${stream && section('Stream', [facts(streamFacts(stream)), notes(streamRemarks(stream))])}
${section('Left behind', [
  notes(
    result.leftovers.map((left) => `${leftoverName(left)}: ${left.reason}`),
    'Nothing.',
  ),
])}
${section('Environment', [facts([...runFacts(result), ...environmentFacts(result)])])}
${again(result)}
${events(result)}
</main>
<script type="application/json" id="result">${trusted(inScript(JSON.stringify(result)))}</script>
${kills.length > 0 && html`<script type="text/plain" id="program">${program}</script>\n<script type="module">${trusted(loader)}</script>`}
</body>
</html>
`;
  return page.html;
}

function section(title: string, parts: (Html | undefined)[]): Html {
  return html`<section><h2>${title}</h2>${parts.filter((part) => part !== undefined)}</section>`;
}

function problemSection({ code, step, message, evidence = [], next }: Problem): Html {
  const others = evidence.filter((fact) => fact !== message);
  return section(step ? `${code} in step ${step}` : code, [
    html`<p>${message}</p>`,
    notes(others),
    next === undefined ? undefined : html`<p><b>Next:</b> ${next}</p>`,
  ]);
}

/** The few figures that one looks for first; what was not observed is a dash. */
function figures(result: ChaosResult): Html {
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

function lineSection(lines: VerdictLine[]): Html {
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

function killSection(result: ChaosResult): Html {
  const { head, rows } = killTable(result.kills);
  if (rows.length === 0) return section('Kills', [html`<p>None was made.</p>`]);
  return section('Kills', [
    tableOf(
      head,
      result.kills.map((kill, index) => killRows(kill, rows[index] ?? [])),
    ),
  ]);
}

function tableOf(head: string[], rows: Html[]): Html {
  return html`<div class="wide"><table>
<thead><tr>${head.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${rows}</tbody>
</table></div>`;
}

/** A row whose last cell is an outcome, coloured by it. */
function row(cells: string[], outcome: string): Html {
  const last = html`<td class="${outcome.replace(' ', '-')}">${cells.at(-1)}</td>`;
  return html`<tr>${cells.slice(0, -1).map((cell) => html`<td>${cell}</td>`)}${last}</tr>`;
}

function killRows(kill: KillRecord, cells: string[]): Html {
  const said = [...(kill.proof?.evidence ?? []), ...killRemarks(kill)];
  return html`${row(cells, kill.status)}
${said.length > 0 && html`<tr><td class="proof" colspan="${cells.length}"><ul>${said.map((fact) => html`<li>${fact}</li>`)}</ul></td></tr>`}`;
}

function facts(rows: Fact[]): Html {
  return html`<dl>${rows.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
}

function notes(lines: string[], none?: string): Html | undefined {
  if (lines.length > 0) return html`<ul class="notes">${lines.map((line) => html`<li>${line}</li>`)}</ul>`;
  return none === undefined ? undefined : html`<p>${none}</p>`;
}

function again(result: ChaosResult): Html | undefined {
  const file = experimentFile(result);
  if (file === undefined) return undefined;
  return section('Run it again', [
    html`<p><code>leaderfall run -f FILE</code> with this file. This page again, for as long as Temporal keeps the run:
<code>leaderfall report ${result.run.workflowId} --run-id ${result.run.runId} --html</code></p>`,
    html`<details><summary>the file</summary><pre>${file}</pre></details>`,
  ]);
}

function events({ timeline }: ChaosResult): Html | undefined {
  if (timeline.length === 0) return undefined;
  const rows = timeline.map(
    ({ at, step, text }) => html`<tr><td>${clock(at)}</td><td>${step}</td><td>${text}</td></tr>`,
  );
  return section('Events', [
    html`<details><summary>${timeline.length} events, UTC</summary><div class="wide"><table><tbody>${rows}</tbody></table></div></details>`,
  ]);
}

/** JSON that a script element can hold: what would end the element, or begin a comment in it, is written as an escape. */
function inScript(json: string): string {
  return json.replaceAll('<', '\\u003c');
}
