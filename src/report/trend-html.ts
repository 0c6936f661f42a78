import { notes, section, tableOf } from './html-sections.ts';
import { policy, signs, styleSheet } from './html-style.ts';
import { html, trusted } from './html-tag.ts';
import { regressions, type TrendRun, trendTable, verdictCounts } from './trend.ts';

/** Runs of a schedule as one page that needs nothing else: verdicts and times as a picture (`svg`, of `trendSvg`), then all of it as a table. */
export function trendPage(schedule: string, runs: readonly TrendRun[], svg: string): string {
  const { head, rows } = trendTable(runs);
  const shown = rows.map((cells, index) => {
    const verdict = runs[index]?.verdict ?? 'Error';
    return html`<tr>${cells.map((cell, column) =>
      column === 1
        ? html`<td><span class="verdict ${verdict}">${signs[verdict]} ${cell}</span></td>`
        : html`<td class="${column < cells.length - 1 ? 'one-line' : ''}">${cell}</td>`,
    )}</tr>`;
  });
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${schedule}: ${verdictCounts(runs)}</title>
<style>${trusted(styleSheet)}</style>
</head>
<body>
<main>
<header><h1>Schedule ${schedule}</h1><p>${verdictCounts(runs)}</p></header>
${section('Over time', [
  html`<figure class="wide" role="img" aria-label="Verdicts and times of the runs; the table below holds the figures">${trusted(svg)}</figure>
<p class="faint">A red triangle is worse than the median of up to five passed runs of the same spec before it.</p>`,
])}
${section('Worse than before', [notes(regressions(runs), 'Nothing.')])}
${section('Runs', [tableOf(head, shown)])}
</main>
</body>
</html>
`;
  return page.html;
}
