import { existsSync } from 'node:fs';
import puppeteer, { type Page } from 'puppeteer-core';

const known = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

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
