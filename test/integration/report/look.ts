import type { Page } from 'puppeteer-core';

/** A text of the picture and where it stands, CSS pixels. */
export interface Label {
  text: string;
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** The texts of the timeline that a person can see. */
export async function labelsOf(page: Page): Promise<Label[]> {
  const labels = await page.evaluate(`[...document.querySelectorAll('#timeline svg text')]
    .filter((text) => text.checkVisibility({ opacityProperty: true, visibilityProperty: true }))
    .map((text) => {
      const { left, top, right, bottom } = text.getBoundingClientRect();
      return { text: text.textContent, left, top, right, bottom };
    })
    .filter(({ text, left, right }) => text !== '' && right > left)`);
  return labels as Label[];
}

/** Pairs of labels that run into each other, as texts; a shared pixel at the edge is none. */
export function overlaps(labels: Label[]): string[] {
  return labels.flatMap((one, index) =>
    labels
      .slice(index + 1)
      .filter(
        (other) =>
          Math.min(one.right, other.right) - Math.max(one.left, other.left) > 1 &&
          Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top) > 1,
      )
      .map((other) => `${one.text} / ${other.text}`),
  );
}

/** Labels that are cut off by the edge of the picture. */
export async function cutLabels(page: Page): Promise<string[]> {
  const box = await (await page.$('#timeline'))?.boundingBox();
  if (!box) throw new Error('the page has no timeline');
  return (await labelsOf(page))
    .filter(({ left, right }) => left < box.x - 1 || right > box.x + box.width + 1)
    .map(({ text }) => text);
}

/** Share of the pixels of the page's timeline that have each colour, by `#rrggbb`. */
export async function coloursOf(page: Page): Promise<Map<string, number>> {
  const timeline = await page.$('#timeline');
  if (!timeline) throw new Error('the page has no timeline');
  const png = await timeline.screenshot({ encoding: 'base64' });
  // A page of its own decodes the picture: the report's may load nothing.
  const decoder = await page.browser().newPage();
  try {
    const counts = await decoder.evaluate(`(async () => {
      const blob = await (await fetch('data:image/png;base64,${png}')).blob();
      const bitmap = await createImageBitmap(blob);
      const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
      context.drawImage(bitmap, 0, 0);
      const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
      const counts = {};
      for (let at = 0; at < data.length; at += 4) {
        const rgb = (data[at] << 16) | (data[at + 1] << 8) | data[at + 2];
        const colour = '#' + rgb.toString(16).padStart(6, '0');
        counts[colour] = (counts[colour] ?? 0) + 1 / (data.length / 4);
      }
      return counts;
    })()`);
    return new Map(Object.entries(counts as Record<string, number>));
  } finally {
    await decoder.close();
  }
}
