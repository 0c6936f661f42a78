import type { Verdict } from '../experiment/result.ts';
import { dark, light, type Palette } from './palette.ts';

/** Verdicts told apart without colour. */
export const signs: Record<Verdict, string> = {
  Pass: '✓',
  Fail: '✗',
  Inconclusive: '?',
  Error: '!',
  Stopped: '■',
  Skipped: '»',
};

/** Content-Security-Policy of a page: nothing is loaded from anywhere: the page is the same without a network, and a text of a cluster can do nothing. */
export const policy =
  "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:";

/** The page's style sheet: colours follow the reader's system, print is always light. */
export const styleSheet = `
:root { color-scheme: light dark; ${variables(light)} }
@media screen and (prefers-color-scheme: dark) { :root { ${variables(dark)} } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 28px 24px 48px; }
h1 { font-size: 26px; font-weight: 500; margin: 0; display: flex; flex-wrap: wrap; gap: 8px 16px; align-items: center; }
h2 { font-size: 18px; margin: 36px 0 10px; }
.verdict { color: var(--ground); border-radius: 6px; padding: 2px 14px; font-weight: 700; }
.Pass { background: var(--good); } .Fail, .Error { background: var(--bad); } .Inconclusive, .Stopped, .Skipped { background: var(--warn); }
.faint, dt, th { color: var(--faint); }
.reasons { margin: 14px 0; padding-left: 20px; font-size: 16px; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin: 20px 0; }
.figures div { background: var(--panel); border: 1px solid var(--line); border-radius: 6px; padding: 10px 14px; }
.figures b { display: block; font-size: 20px; font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 500; white-space: nowrap; }
th, td { padding: 6px 14px 6px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.one-line { white-space: nowrap; }
td.proof { padding-left: 24px; color: var(--faint); }
td.proof ul, .notes { margin: 0; padding-left: 18px; }
.met, .proven { color: var(--good); } .not-met, .unproven { color: var(--bad); } .not-observable, .skipped { color: var(--warn); }
.met, .not-met, .not-observable, .proven, .unproven, .skipped { font-weight: 600; white-space: nowrap; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 20px; margin: 0; }
dd { margin: 0; overflow-wrap: anywhere; }
code, pre { font: 13px/1.45 ui-monospace, "DejaVu Sans Mono", monospace; }
pre { background: var(--panel); border: 1px solid var(--line); border-radius: 6px; padding: 12px 16px; overflow-x: auto; }
summary { cursor: pointer; color: var(--link); }
.zoom { display: flex; flex-wrap: wrap; gap: 8px; align-items: baseline; margin-bottom: 8px; }
button { font: inherit; font-size: 13px; color: var(--link); background: var(--panel); border: 1px solid var(--line); border-radius: 6px; padding: 2px 10px; cursor: pointer; }
button:focus-visible, summary:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
figure { margin: 0; }
figcaption { display: flex; flex-wrap: wrap; gap: 4px 20px; font-size: 13px; margin-top: 6px; }
figcaption span { display: inline-flex; align-items: center; gap: 6px; white-space: nowrap; }
@media print { button, .zoom { display: none; } main { max-width: none; padding: 0; } }
`;

/** `--ink: #1f2328; …`, those of bars and marks by their kinds. */
function variables({ bars, marks, lines, ...plain }: Palette): string {
  return Object.entries({ ...plain, ...bars, ...prefixed('mark', marks), ...prefixed('line', lines) })
    .map(([name, color]) => `--${name}: ${color};`)
    .join(' ');
}

function prefixed(prefix: string, colors: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(colors).map(([name, color]) => [`${prefix}-${name}`, color]));
}
