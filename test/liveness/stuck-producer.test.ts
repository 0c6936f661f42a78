import { expect, test } from 'vitest';
import type { IsrShrink, ProducerOutage } from '../../src/experiment/stream-figures.ts';
import { maxShrinks } from '../../src/liveness/metadata-meter.ts';
import { type Keeping, stuckTime } from '../../src/liveness/stuck-producer.ts';

const outage: ProducerOutage = {
  ...{ partition: 0, at: 10_000, ms: 9_000, servedMs: 7_000 },
  ...{ errors: {}, failedSends: 0, retries: 0, backoffMs: 0, rebuilds: 0 },
};

const keeping: Keeping = { acks: 'all', minInsyncReplicas: 2, shrinks: [] };

/** So many shrinks of another partition, one each 100 ms, the last begun at `lastAt`. */
function shrinksTo(lastAt: number, count = maxShrinks): IsrShrink[] {
  return Array.from({ length: count }, (_, index) => {
    const at = lastAt - (count - 1 - index) * 100;
    return { partition: 1, at, fullAt: at + 50, least: 2 };
  });
}

test('where nobody saw the metadata, a client that waits for replicas is not told from a stuck one', () => {
  expect(stuckTime(outage, keeping)).toBe(7_000);
  expect(stuckTime(outage, { ...keeping, shrinks: undefined })).toBeUndefined();
  expect(stuckTime(outage, { ...keeping, shrinks: undefined, acks: 1 })).toBe(7_000);
});

test('after the last shrink that is told nobody knows of others', () => {
  expect(stuckTime(outage, { ...keeping, shrinks: shrinksTo(18_999) })).toBeUndefined();
  expect(stuckTime(outage, { ...keeping, shrinks: shrinksTo(19_000) })).toBe(7_000);
  expect(stuckTime(outage, { ...keeping, shrinks: shrinksTo(9_000) })).toBeUndefined();
  expect(stuckTime(outage, { ...keeping, shrinks: shrinksTo(9_000, maxShrinks - 1) })).toBe(7_000);
  expect(stuckTime(outage, { ...keeping, shrinks: shrinksTo(9_000), acks: 1 })).toBe(7_000);
});
