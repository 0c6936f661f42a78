import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { withPage } from '../test/support/browser.ts';

/** CSS pixels. */
const width = 1_240;
const marginBelow = 24;

/** A report's page as PNG, from its top to the end of the timeline's legend, in light or in dark. */
export async function reportPicture(html: string, options: { dark?: boolean } = {}): Promise<Uint8Array> {
  const folder = mkdtempSync(join(tmpdir(), 'leaderfall-picture-'));
  const file = join(folder, 'report.html');
  writeFileSync(file, html);
  try {
    return await withPage({ width, ...options }, async ({ page, complaints }) => {
      await page.goto(pathToFileURL(file).href);
      await page.waitForSelector('#timeline svg text');
      const bottom = (await page.evaluate(
        `document.querySelector('figure').getBoundingClientRect().bottom`,
      )) as number;
      if (complaints.length > 0) throw new Error(`the page complains: ${complaints.join('; ')}`);
      const clip = { x: 0, y: 0, width, height: Math.ceil(bottom) + marginBelow };
      return await page.screenshot({ type: 'png', clip, captureBeyondViewport: true });
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
