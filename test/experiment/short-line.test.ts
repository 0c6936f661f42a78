import { expect, test } from 'vitest';
import { shortLine } from '../../src/experiment/short-line.ts';

test('a line is cut to what Temporal takes, whatever letters it is made of, and a short one stays', () => {
  expect(shortLine('3 × the leader')).toBe('3 × the leader');
  expect(shortLine('two\nlines')).toBe('two lines');
  for (const letter of ['x', 'é', '€', '😀', '"', '\u0001']) {
    const line = shortLine(letter.repeat(1_000));
    expect(line.endsWith(`${letter}…`)).toBe(true);
    expect(Buffer.byteLength(JSON.stringify(line))).toBeLessThanOrEqual(300);
  }
});
