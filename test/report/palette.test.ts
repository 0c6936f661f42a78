import { describe, expect, it } from 'vitest';
import { barStyles, markStyles } from '../../src/report/legend.ts';
import { dark, light, type Palette } from '../../src/report/palette.ts';

/** Relative luminance of `#rrggbb`, by WCAG 2. */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const share = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return share <= 0.040_45 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** Contrast of two colours, by WCAG 2: 1 to 21. */
function contrast(one: string, other: string): number {
  const [low = 0, high = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

describe.each([
  ['light', light],
  ['dark', dark],
] satisfies [string, Palette][])('the %s palette', (_, palette) => {
  it.each(['ink', 'faint', 'link', 'good', 'bad', 'warn'] as const)('has readable text in %s', (name) => {
    expect(contrast(palette[name], palette.ground)).toBeGreaterThanOrEqual(4.5);
    expect(contrast(palette[name], palette.panel)).toBeGreaterThanOrEqual(4.5);
  });

  it('sets everything that is drawn off its ground', () => {
    const drawn = { ...palette.bars, ...palette.marks, ...palette.lines };
    for (const [name, colour] of Object.entries(drawn)) {
      expect(contrast(colour, palette.ground), name).toBeGreaterThanOrEqual(3);
    }
  });
});

describe('the legend', () => {
  it('tells the states of a broker apart by height alone', () => {
    const { leader, 'in-sync': inSync, stopping, 'out-of-sync': outOfSync } = barStyles;
    const heights = [leader, stopping, inSync, outOfSync].map(({ tall }) => tall);
    expect(new Set(heights).size).toBe(4);
    expect(heights).toEqual(heights.toSorted((a, b) => b - a));
  });

  it('tells marks apart by shape alone', () => {
    expect(new Set(Object.values(markStyles).map(({ path }) => path)).size).toBe(3);
  });
});
