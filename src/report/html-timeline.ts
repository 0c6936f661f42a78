import type { ChaosResult } from '../experiment/result.ts';
import { type Html, html, trusted } from './html-tag.ts';
import { barKindsIn, barStyles, markKindsIn, markStyles } from './legend.ts';
import { tellingKills } from './telling-kills.ts';
import { type Chart, chartOf } from './timeline-chart.ts';

/** Seconds shown before a kill and after the last of what followed from it. */
const around = 2;

/** The place that the page's script draws the timeline into, with its legend and the buttons that zoom it. */
export function timelineFigure(result: ChaosResult): Html | undefined {
  const chart = chartOf(result);
  if (!chart) return undefined;
  const told = new Set(tellingKills(result.kills).told.map(({ index }) => index));
  return html`<section><h2>Timeline (UTC)</h2>
<div class="zoom">${buttons(chart, told)}<span class="faint">drag the ends of the bar below, or Ctrl and the wheel</span></div>
<figure>
<div id="timeline" role="img" aria-label="Timeline of the run; the tables below hold its figures"><p class="faint">Your viewer does not run the script that draws the timeline. The tables below hold its figures.</p></div>
<figcaption>${legend(chart)}</figcaption>
</figure>
</section>`;
}

function buttons({ zero, from, to, kills, marks }: Chart, told: ReadonlySet<number>): Html[] {
  const button = (name: string, start: number, end: number) => {
    const ms = (seconds: number) => Math.round(zero + seconds * 1_000);
    return html`<button type="button" hidden data-from="${ms(start)}" data-to="${ms(end)}">${name}</button>`;
  };
  return [
    button('whole run', from, to),
    ...kills
      .filter(({ index }) => told.has(index))
      .map(({ index, at }) => {
        const ends = marks.filter((mark) => mark.kill === index).map((mark) => mark.at);
        return button(
          `kill ${index + 1}`,
          Math.max(from, at - around),
          Math.min(to, Math.max(at, ...ends) + around),
        );
      }),
  ];
}

/** Of what the chart holds, and no more. */
function legend(chart: Chart): Html[] {
  const bars = barKindsIn(chart).map((kind) => {
    const { name, tall } = barStyles[kind];
    const shape = `<rect y="${(20 - tall) / 2}" width="18" height="${tall}" fill="var(--${kind})"/>`;
    return item(name, 18, 20, shape);
  });
  const marks = markKindsIn(chart).map((kind) => {
    const { name, path } = markStyles[kind];
    return item(name, 16, 16, `<path d="${path}" fill="var(--mark-${kind})"/>`);
  });
  const kill = '<path d="M8 0 V20" stroke="var(--mark-kill)" stroke-dasharray="3 3"/>';
  return [...bars, item('request to kill', 16, 20, kill), ...marks];
}

/** A swatch, of own constants alone, and what it stands for. */
function item(name: string, width: number, height: number, shape: string): Html {
  return html`<span><svg width="${width}" height="${height}" aria-hidden="true">${trusted(shape)}</svg>${name}</span>`;
}
