import { gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { packed, pageProgram } from '../../src/cli/page-program.ts';
import type { ChaosResult } from '../../src/experiment/result.ts';
import { htmlReport } from '../../src/report/html.ts';
import { html } from '../../src/report/html-tag.ts';
import {
  exampleSeries,
  failedResult,
  inconclusiveResult,
  judged,
  passedResult,
  provenKill,
  refusedResult,
} from './example-result.ts';
import { soakResult } from './soak-result.ts';

const pageOf = (result: ChaosResult) => htmlReport(result, 'draw()', packed);

/** The text of a page as a reader sees it, line by line. */
const textOf = (page: string) =>
  page
    .replace(/<(script|style).*?<\/\1>/gs, '')
    .replace(/<[^>]+>/g, '\n')
    .replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)))
    .replace(/\n\s*/g, '\n');

describe('the HTML report', () => {
  it.each([passedResult(), failedResult(), inconclusiveResult(), refusedResult()])(
    'begins with the verdict and its reasons ($verdict)',
    (result) => {
      const text = textOf(pageOf(result));
      expect(text.trim()).toMatch(new RegExp(`^${result.verdict}: kafka-chaos\n`));
      const places = [`${result.verdict}\n`, ...result.reasons].map((part) => text.indexOf(part));
      expect(places).not.toContain(-1);
      expect(places).toEqual(places.toSorted((a, b) => a - b));
    },
  );

  it('tells timeline, lines, kills with proofs, stream, leftovers, environment and how to run it again', () => {
    const result = judged({ ...failedResult(), series: exampleSeries(failedResult(), 0) });
    const page = pageOf(result);
    const headings = [...page.matchAll(/<h2>(.*?)<\/h2>/g)].map(([, heading]) => heading);
    expect(headings).toEqual([
      'Timeline (UTC)',
      'What the verdict follows from',
      'Kills',
      'Stream',
      'Left behind',
      'Environment',
      'Run it again',
      'Events',
    ]);
    const text = textOf(page);
    for (const line of result.lines ?? []) expect(text).toContain(`\n${line.what}\n`);
    expect(text).toContain('✗ not met');
    expect(text).toContain('pod gone');
    expect(text).toContain('delete.topic.enable = true');
    expect(text).toContain('leaderfall report kafka-chaos-1 --run-id 0193-run --html');
    expect(text).toContain('consumerTimeoutMs: 60000');
  });

  it('of a refused run is the problem and the next action, without timeline and script', () => {
    const page = pageOf(refusedResult());
    expect(textOf(page)).toContain('prints every field with its default');
    expect(page).not.toMatch(/<script>|id="timeline"/);
  });

  it('does not call records lost that may still have been read', () => {
    const passed = passedResult();
    const stream = passed.stream && { ...passed.stream, lost: 208, drained: false };
    expect(textOf(pageOf(passed))).toContain('records lost\n0 of 7421\n');
    expect(textOf(pageOf({ ...passed, stream }))).toContain('records lost\n-\n');
  });

  it('holds the result, whole, for programs', () => {
    const result = { ...passedResult(), name: '</script><script>alert(1)</script><!--' };
    const [, text = ''] =
      /<script type="text\/plain" id="result">(.*?)<\/script>/s.exec(pageOf(result)) ?? [];
    expect(JSON.parse(gunzipSync(Buffer.from(text, 'base64')).toString())).toEqual(result);
  });

  it('shows what a cluster says as text', () => {
    const hostile = '<img src=x onerror=alert(1)> & "q" \' </p> \u001b[2J';
    const kill = { ...provenKill(0, 1, 2), reason: hostile };
    const page = pageOf({
      ...passedResult(),
      name: hostile,
      reasons: [hostile],
      kills: [kill],
      leftovers: [{ kind: 'Pod', name: hostile, reason: hostile }],
      timeline: [{ at: passedResult().startedAt, step: 'kill', text: hostile }],
      versions: { [hostile]: hostile },
    });
    const markup = page.replace(/<script.*<\/script>/s, '');
    expect(markup).not.toContain('<img');
    expect(markup.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
    expect(markup.match(/<p[ >]/g)?.length).toBe(markup.match(/<\/p>/g)?.length);
    expect(textOf(page)).toContain('<img src=x onerror=alert(1)> & "q" \' </p> [2J');
  });
});

describe('the HTML report with its script', () => {
  let program: string;
  beforeAll(async () => {
    program = await pageProgram();
  }, 60_000);

  it('needs nothing from anywhere', () => {
    const page = htmlReport(passedResult(), program, packed);
    expect(page).toMatch(/<meta http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;;/);
    expect(page).not.toMatch(/(src|href)=|url\(|@import|https?:/);
  });

  it('is below 1 MB for a day of one kill a minute, whose telling kills have their proofs and buttons', () => {
    const result = judged(soakResult(1_440));
    const page = htmlReport(result, program, packed);
    expect(Buffer.byteLength(page)).toBeLessThan(1_000_000);
    // One first, ten slowest by each of four figures, fourteen that were not proven.
    expect(page.match(/<td class="proof"/g)).toHaveLength(55);
    expect(page.match(/data-from=/g)).toHaveLength(1 + 55);
    const text = textOf(page);
    expect(text).toContain(
      'Proofs of 55 kills: the first, the slowest, those that did not go as planned; 100 at most.',
    );
    // Once among the reasons of the verdict, once with their proofs.
    expect(text.match(/the node was low on resource: memory/g)?.length).toBe(2 * 14);
    // Every kill has its row.
    const clocks = new Set(text.match(/\d\d:\d\d:\d\d\.\d{3}/g));
    expect(result.kills.filter(({ deadline }) => !clocks.has(deadline.slice(11, 23)))).toEqual([]);
  }, 60_000);

  it('has all proofs of up to a hundred kills', () => {
    const page = htmlReport(judged(soakResult(100)), program, packed);
    expect(page.match(/<td class="proof"/g)).toHaveLength(100);
    expect(page).not.toContain('Proofs of 100 kills');
  });
});

describe('the template of pages', () => {
  it('escapes text, keeps HTML, joins lists and drops what is not there', () => {
    const item = html`<b title="${'"\'>'}">${'<&'}</b>`;
    expect(html`${item}${[item, item]}${undefined}${false}${0}`.html).toBe(
      `${'<b title="&#34;&#39;&#62;">&#60;&#38;</b>'.repeat(3)}0`,
    );
  });
});
