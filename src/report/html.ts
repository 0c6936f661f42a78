import type { ChaosResult } from '../experiment/result.ts';
import {
  againSection,
  environmentSection,
  eventSection,
  figures,
  killSection,
  leftoverSection,
  lineSection,
  problemSection,
  streamSection,
} from './html-sections.ts';
import { policy, signs, styleSheet } from './html-style.ts';
import { html, trusted } from './html-tag.ts';
import { timelineFigure } from './html-timeline.ts';
import { pageResult } from './page-result.ts';

/** Packed, program and result of a day of one kill a minute are below 1 MB. */
const loader = `
async function unpack(element) {
  const packed = Uint8Array.from(atob(element.textContent), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
  element.textContent = await new Response(stream).text();
  return element.textContent;
}
await unpack(document.querySelector('#result'));
const script = document.createElement('script');
script.textContent = await unpack(document.querySelector('#program'));
document.body.append(script);
`;

/**
 * A result as one page that needs nothing else: verdict and reasons, the timeline, kills with their proofs, environment, how to
 * run it again. `program` is the packed script that draws the timeline from the result, which the page holds as JSON; `pack` makes
 * gzip in base64 of a text.
 */
export function htmlReport(result: ChaosResult, program: string, pack: (text: string) => string): string {
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
${stream && streamSection(stream)}
${leftoverSection(result)}
${environmentSection(result)}
${againSection(result)}
${eventSection(result)}
</main>
<script type="text/plain" id="result">${pack(JSON.stringify(pageResult(result)))}</script>
${kills.length > 0 && html`<script type="text/plain" id="program">${program}</script>\n<script type="module">${trusted(loader)}</script>`}
</body>
</html>
`;
  return page.html;
}
