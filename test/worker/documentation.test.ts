import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { variableNames } from '../../src/worker/config.ts';

it('names every setting in docs/worker.md, and none that does not exist', () => {
  const text = readFileSync(new URL('../../docs/worker.md', import.meta.url), 'utf8');
  const named = new Set(text.match(/LEADERFALL_[A-Z_]*[A-Z]/g));
  expect([...named].sort()).toEqual([...variableNames].sort());
});
