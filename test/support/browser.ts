import { existsSync } from 'node:fs';
import puppeteer, { type ElementHandle, type Page } from 'puppeteer-core';

const known = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** A page that does not come to show something is given up on after this. ms */
const patienceMs = 30_000;

/** The machine's Chromium: CHROMIUM where set, else where Debian and others put it. Throws with what to install. */
export function chromiumPath(): string {
  const found = [process.env.CHROMIUM ?? '', ...known].find((path) => path !== '' && existsSync(path));
  if (!found) throw new Error('no Chromium: apt-get install chromium, or set CHROMIUM to its path');
  return found;
}

/** A page, and what its console and its scripts complained about so far. */
export interface OpenPage {
  page: Page;
  complaints: string[];
}

/** Opens a page in a browser of its own for the time of `use`. Sizes in CSS pixels. */
export async function withPage<T>(
  options: { width?: number; height?: number; dark?: boolean },
  use: (opened: OpenPage) => Promise<T>,
): Promise<T> {
  const { width = 1_400, height = 1_000, dark = false } = options;
  const browser = await puppeteer.launch({
    executablePath: chromiumPath(),
    headless: true,
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--force-color-profile=srgb'],
    defaultViewport: { width, height },
  });
  try {
    const page = await browser.newPage();
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }]);
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    return await use({ page, complaints });
  } finally {
    await browser.close();
  }
}

/** Waits until the page, or a frame in it, shows a text. */
export async function shows(page: Page, text: string): Promise<void> {
  const until = Date.now() + patienceMs;
  const shown = `document.body?.innerText.includes(${JSON.stringify(text)})`;
  for (;;) {
    // A frame may be replaced while it is asked.
    const found = await Promise.all(page.frames().map((frame) => frame.evaluate(shown).catch(() => false)));
    if (found.includes(true)) return;
    if (Date.now() > until) throw new Error(`the page does not show: ${text}`);
    await pause();
  }
}

/** Presses the first element of a selector that a person can see, by its handler: pages move while they load. */
export async function press(page: Page, selector: string): Promise<void> {
  const found = await visible(page, selector);
  await found.evaluate((element) => (element as unknown as { click(): void }).click());
}

/** Types into the first element of a selector that a person can see. */
export async function typeInto(page: Page, selector: string, text: string): Promise<void> {
  await (await visible(page, selector)).focus();
  await page.keyboard.type(text);
}

async function visible(page: Page, selector: string): Promise<ElementHandle> {
  const until = Date.now() + patienceMs;
  for (;;) {
    for (const element of await page.$$(selector)) if (await element.isVisible()) return element;
    if (Date.now() > until) throw new Error(`nothing to be seen of ${selector} at ${page.url()}`);
    await pause();
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 200));
}
