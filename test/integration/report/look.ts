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

/** Every line of text of the whole page that a person can see, the picture's and the tables' alike. */
export async function textLinesOf(page: Page): Promise<Label[]> {
  const lines = await page.evaluate(`(() => {
    const found = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const shown = node.parentElement.checkVisibility({ opacityProperty: true, visibilityProperty: true });
      if (!shown || node.textContent.trim() === '') continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      for (const { left, top, right, bottom } of range.getClientRects()) {
        if (right > left) found.push({ text: node.textContent.trim().slice(0, 60), left, top, right, bottom });
      }
    }
    return found;
  })()`);
  return lines as Label[];
}

/** By how much the page is wider than the screen, px. */
export async function sticksOut(page: Page): Promise<number> {
  const { scrollWidth, clientWidth } = (await page.evaluate(`(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    return { scrollWidth, clientWidth };
  })()`)) as { scrollWidth: number; clientWidth: number };
  return scrollWidth - clientWidth;
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

/** Texts that a person can see and that stand out from their ground by less than WCAG asks for (4.5:1), with their contrast. */
export async function faintTexts(page: Page): Promise<string[]> {
  const found = await page.evaluate(`(() => {
    const pixel = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
    const rgba = (colour) => {
      pixel.clearRect(0, 0, 1, 1);
      pixel.fillStyle = colour;
      pixel.fillRect(0, 0, 1, 1);
      const [red, green, blue, alpha] = pixel.getImageData(0, 0, 1, 1).data;
      return { parts: [red, green, blue], alpha: alpha / 255 };
    };
    const over = (top, share, below) => top.map((part, at) => part * share + below[at] * (1 - share));
    const up = (element) => (element ? [element, ...up(element.parentElement)] : []);
    const groundOf = (element) =>
      up(element).reverse().reduce((below, one) => {
        const { parts, alpha } = rgba(getComputedStyle(one).backgroundColor);
        return over(parts, alpha, below);
      }, [255, 255, 255]);
    const luminance = (parts) => {
      const [red, green, blue] = parts.map((part) => {
        const share = part / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const faint = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const element = node.parentElement;
      const shown = element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
      if (!shown || node.textContent.trim() === '') continue;
      const style = getComputedStyle(element);
      const drawn = element instanceof SVGElement;
      const { parts, alpha } = rgba(drawn ? style.fill : style.color);
      const opacity = up(element).reduce((all, one) => all * getComputedStyle(one).opacity, drawn ? style.fillOpacity : 1);
      const ground = groundOf(element);
      const [low, high] = [luminance(over(parts, alpha * opacity, ground)), luminance(ground)].sort((a, b) => a - b);
      const contrast = (high + 0.05) / (low + 0.05);
      if (contrast < 4.5) faint.push(node.textContent.trim().slice(0, 60) + ' ' + contrast.toFixed(1));
    }
    return faint;
  })()`);
  return found as string[];
}
