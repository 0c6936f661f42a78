import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reportPicture } from '../../../scripts/report-picture.ts';
import { packed, pageProgram } from '../../../src/cli/page-program.ts';
import type { ChaosResult } from '../../../src/experiment/result.ts';
import { htmlReport } from '../../../src/report/html.ts';
import { junitReport } from '../../../src/report/junit.ts';
import { dark, light } from '../../../src/report/palette.ts';
import {
  exampleSeries,
  failedResult,
  inconclusiveResult,
  judged,
  passedResult,
} from '../../report/example-result.ts';
import { withPage } from '../../support/browser.ts';
import { coloursOf, cutLabels, faintTexts, labelsOf, overlaps, sticksOut, textLinesOf } from './look.ts';

const folder = mkdtempSync(join(tmpdir(), 'leaderfall-page-'));
/** A busy machine draws late. */
const patient = { timeout: 30_000 };
let program: string;

beforeAll(async () => {
  program = await pageProgram();
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

const withSeries = (result: ChaosResult, stopsAfter?: number) => ({
  ...result,
  series: exampleSeries(result, stopsAfter),
});
const passed = judged(withSeries(passedResult()));
const failed = judged(withSeries(failedResult(), 0));
const inconclusive = judged(withSeries(inconclusiveResult()));

/** Opens the report of a run as a file, as a person would, and waits until its timeline is drawn. */
async function look<T>(
  result: ChaosResult,
  options: { width?: number; dark?: boolean },
  use: (page: Page) => Promise<T>,
): Promise<T> {
  const file = join(folder, 'report.html');
  writeFileSync(file, htmlReport(result, program, packed));
  return await withPage(options, async ({ page, complaints }) => {
    const requests: string[] = [];
    page.on('request', (request) => requests.push(request.url()));
    await page.goto(pathToFileURL(file).href);
    await page.waitForSelector('#timeline svg text');
    const given = await use(page);
    expect(complaints).toEqual([]);
    expect(requests.filter((url) => !url.startsWith('data:') && !url.startsWith('blob:'))).toHaveLength(1);
    return given;
  });
}

const textsOf = async (page: Page) => (await labelsOf(page)).map(({ text }) => text);

/** Every label is whole, stands free and stands out from its ground. */
async function expectReadable(page: Page): Promise<void> {
  expect(await faintTexts(page)).toEqual([]);
  expect(overlaps(await textLinesOf(page))).toEqual([]);
  expect(await sticksOut(page)).toBe(0);
  expect(await cutLabels(page)).toEqual([]);
}

describe('the page in a browser', { timeout: 120_000 }, () => {
  it.each([
    ['a passed run', passed, 'Pass', 3],
    ['a failed run', failed, 'Fail', 1],
    ['an inconclusive run', inconclusive, 'Inconclusive', 2],
  ] as const)('draws the timeline of %s', async (_, result, verdict, kills) => {
    await look(result, {}, async (page) => {
      expect(await page.$eval('.verdict', (element) => element.textContent)).toContain(verdict);
      const texts = await textsOf(page);
      expect(texts).toEqual(expect.arrayContaining(['Records a second', 'Latency', 'stream', 'broker 2']));
      expect(texts.filter((text) => text.startsWith('kill '))).toHaveLength(kills);
      await expectReadable(page);
      const colours = await coloursOf(page);
      expect(colours.get(light.ground)).toBeLessThan(0.97);
      for (const colour of [light.bars['in-sync'], light.bars.stopping, light.lines.first]) {
        expect(colours.get(colour), colour).toBeGreaterThan(0.000_1);
      }
    });
  });

  it('shows who led, and nothing of it where nobody did', async () => {
    const share = (result: ChaosResult) =>
      look(result, {}, async (page) => (await coloursOf(page)).get(light.bars.leader) ?? 0);
    expect(await share(passed)).toBeGreaterThan(0.02);
    // Its edge alone, where the leader of before the kill ends.
    expect(await share(failed)).toBeLessThan(0.001);
  });

  it('shows the lanes alone of a run whose history holds no series', async () => {
    await look(passedResult(), {}, async (page) => {
      const texts = await textsOf(page);
      expect(texts).toContain('broker 1');
      expect(texts).not.toContain('Latency');
      await expectReadable(page);
    });
  });

  it.each([
    ['a passed run', passed, dark.bars.leader],
    ['a failed run', failed, dark.bars.silence],
    ['an inconclusive run', inconclusive, dark.bars.leader],
  ] as const)('is dark and readable where the reader’s system is dark: %s', async (_, result, drawn) => {
    await look(result, { dark: true }, async (page) => {
      const colours = await coloursOf(page);
      expect(colours.get(dark.ground)).toBeGreaterThan(0.5);
      expect(colours.get(dark.ground)).toBeLessThan(0.97);
      expect(colours.get(drawn)).toBeGreaterThan(0.02);
      expect(colours.get(light.ground) ?? 0).toBeLessThan(0.000_1);
      await page.evaluate(`for (const one of document.querySelectorAll('details')) one.open = true`);
      await expectReadable(page);
      await page.evaluate(`document.querySelector('h2').style.color = '${dark.line}'`);
      expect(await faintTexts(page)).toEqual([expect.stringMatching(/^Timeline \(UTC\) 1\.\d$/)]);
    });
  });

  it('is readable on a narrow screen and with more kills than have room for their names', async () => {
    const kills = Array.from({ length: 40 }, (_, index) => {
      const [kill] = passedResult().kills;
      const at = (kill?.act?.outcome === 'deleted' ? kill.act.requestedAt : 0) + index * 1_300;
      return { ...kill, index, act: { ...kill?.act, requestedAt: at } } as ChaosResult['kills'][number];
    });
    await look({ ...passed, kills }, { width: 480 }, async (page) => {
      const named = (await textsOf(page)).filter((text) => text.startsWith('kill '));
      expect(named.length).toBeGreaterThan(2);
      expect(named.length).toBeLessThan(20);
      await expectReadable(page);
    });
  });

  it('zooms to a kill by its button and back, and by Ctrl and the wheel', async () => {
    await look(passed, {}, async (page) => {
      const kills = async () => (await textsOf(page)).filter((text) => text.startsWith('kill '));
      const press = (name: string) =>
        page.evaluate(
          `[...document.querySelectorAll('button')].find((b) => b.textContent === '${name}').click()`,
        );
      await press('kill 2');
      await expect.poll(kills, patient).toEqual(['kill 2']);
      await expectReadable(page);
      await press('whole run');
      await expect.poll(kills, patient).toHaveLength(3);
      const box = await (await page.$('#timeline'))?.boundingBox();
      // Over the middle of the plot, which is near the second kill.
      await page.mouse.move((box?.x ?? 0) + (box?.width ?? 0) * 0.4, (box?.y ?? 0) + 100);
      await page.keyboard.down('Control');
      for (let turn = 0; turn < 12; turn++) await page.mouse.wheel({ deltaY: -240 });
      await page.keyboard.up('Control');
      await expect.poll(async () => (await kills()).length, patient).toBeLessThan(3);
      await expectReadable(page);
    });
  });

  it('fits its axes to what is in sight, so that a burst elsewhere flattens nothing', async () => {
    const { columns, ...rest } = exampleSeries(passedResult());
    const received = columns.received?.map((rate, second) => (second === 7 ? 2_400 : rate));
    const series = { ...rest, columns: { ...columns, received } };
    await look({ ...passed, series }, {}, async (page) => {
      expect(await textsOf(page)).toContain('2,000');
      await page.evaluate(`document.querySelectorAll('button')[2].click()`);
      await expect.poll(() => textsOf(page), patient).toEqual(expect.arrayContaining(['kill 2', '120']));
      expect(await textsOf(page)).not.toContain('2,000');
    });
  });

  it('is drawn as a picture of the documentation down to the end of its legend', async () => {
    const png = Buffer.from(await reportPicture(htmlReport(passed, program, packed)));
    const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
    expect(width).toBe(1_240);
    await look(passed, { width }, async (page) => {
      const box = await (await page.$('figcaption'))?.boundingBox();
      const below = height - (box?.y ?? 0) - (box?.height ?? 0);
      expect(below).toBeGreaterThan(10);
      expect(below).toBeLessThan(40);
    });
  });

  it('tells a pointer what is below it', async () => {
    await look(passed, {}, async (page) => {
      const box = await (await page.$('#timeline'))?.boundingBox();
      const labels = await labelsOf(page);
      const middle = (box?.x ?? 0) + (box?.width ?? 0) / 2;
      const tooltip = () => page.$eval('#timeline', (element) => element.textContent);
      const plot = labels.find(({ text }) => text === 'Latency');
      await page.mouse.move(middle, (plot?.bottom ?? 0) + 60);
      await expect.poll(tooltip, patient).toMatch(/ack p99\d+ ms/);
      const lane = labels.find(({ text }) => text === 'broker 0');
      await page.mouse.move(middle, ((lane?.top ?? 0) + (lane?.bottom ?? 0)) / 2);
      await expect.poll(tooltip, patient).toContain('broker 0: leader10:15:20.316 for 19.7 s');
    });
  });
});

/** What an element of JUnit XML may hold by the schema of Jenkins' xUnit plugin (junit-10.xsd), as far as reports go. */
const junitSchema = {
  testsuites: { attributes: 'name time tests failures disabled errors', children: 'testsuite' },
  testsuite: {
    attributes: 'name tests failures errors time disabled skipped timestamp hostname id package file',
    children: 'properties testcase system-out system-err',
  },
  properties: { attributes: '', children: 'property' },
  property: { attributes: 'name value', children: '' },
  testcase: {
    attributes: 'name assertions time classname status file line',
    children: 'skipped error failure system-out system-err',
  },
  skipped: { attributes: 'type message', children: '' },
  error: { attributes: 'type message', children: '' },
  failure: { attributes: 'type message', children: '' },
  'system-out': { attributes: '', children: '' },
};

it('writes JUnit XML by the schema of Jenkins', { timeout: 120_000 }, async () => {
  const [schema, reports] = [junitSchema, [passed, failed, inconclusive].map(junitReport)].map((value) =>
    JSON.stringify(value),
  );
  await withPage({}, async ({ page }) => {
    const wrong = await page.evaluate(`(() => {
      const schema = ${schema};
      const needed = { testsuite: ['name', 'tests'], testcase: ['name'], property: ['name', 'value'] };
      const wrong = [];
      const check = (element) => {
        const name = element.nodeName;
        if (!schema[name]) return wrong.push(name + ' is not known');
        const [attributes, children] = [schema[name].attributes.split(' '), schema[name].children.split(' ')];
        for (const { name: one } of element.attributes) if (!attributes.includes(one)) wrong.push(name + ' has ' + one);
        for (const one of needed[name] ?? []) if (!element.hasAttribute(one)) wrong.push(name + ' lacks ' + one);
        const order = [...element.children].map((child) => children.indexOf(child.nodeName));
        if (order.includes(-1)) wrong.push(name + ' holds what it may not');
        if (order.some((place, at) => place < (order[at - 1] ?? 0))) wrong.push(name + ' is out of order');
        for (const child of element.children) check(child);
      };
      for (const xml of ${reports}) check(new DOMParser().parseFromString(xml, 'application/xml').documentElement);
      return wrong;
    })()`);
    expect(wrong).toEqual([]);
  });
});

it('reads the JUnit report as XML, whatever a cluster says', { timeout: 120_000 }, async () => {
  const hostile = { ...failed, reasons: ['<a b="c">&amp; ]]> \u0000\u001b\ud800'] };
  await withPage({}, async ({ page }) => {
    for (const result of [passed, inconclusive, hostile]) {
      const xml = JSON.stringify(junitReport(result));
      const found = await page.evaluate(`(() => {
        const read = new DOMParser().parseFromString(${xml}, 'application/xml');
        return [read.querySelectorAll('parsererror').length, read.querySelectorAll('testcase').length];
      })()`);
      expect(found).toEqual([0, 1 + (result.lines?.length ?? 0) + result.kills.length]);
    }
  });
});
