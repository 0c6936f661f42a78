import { expect, test } from 'vitest';
import { silencesOf } from '../../src/liveness/silences.ts';

test('each partition is silent by itself, one that never had a record since the first of any', () => {
  const silences = silencesOf(3);
  expect(silences.quietest()).toBeUndefined();
  expect(silences.came(1, 100)).toBe(0);
  silences.came(0, 110);
  silences.came(1, 400);
  expect(silences.quietest()).toEqual({ partition: 2, since: 100 });
  expect(silences.longest).toEqual({ ms: 300, at: 100 });
  expect(silences.came(2, 500)).toBe(400);
  expect(silences.longest).toEqual({ ms: 400, at: 100 });
  expect(silences.quietest()).toEqual({ partition: 0, since: 110 });
});

test('what was silent until the stream was steady is forgotten, who is silent is not', () => {
  const silences = silencesOf(1);
  silences.came(0, 100);
  silences.came(0, 900);
  silences.forget();
  expect(silences.longest).toEqual({ ms: 0 });
  expect(silences.came(0, 1_300)).toBe(400);
  expect(silences.longest).toEqual({ ms: 400, at: 900 });
});
