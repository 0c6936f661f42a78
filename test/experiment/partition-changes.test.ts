import { expect, it } from 'vitest';
import { type PartitionChange, packChanges, unpackChanges } from '../../src/experiment/partition-changes.ts';

const from = Date.parse('2026-03-02T10:15:00.000Z');

it('come back as they were packed, and are small', () => {
  const changes: PartitionChange[] = [
    { at: from, kind: 'leader', brokers: [1] },
    { at: from, kind: 'isr', brokers: [0, 1, 2] },
    { at: from + 310, kind: 'gone', brokers: [1] },
    { at: from + 312, kind: 'leader', brokers: [] },
    { at: from + 400, kind: 'leader', brokers: [1002] },
    { at: from + 9_000, kind: 'back', brokers: [1] },
  ];
  const packed = packChanges(from, from + 60_000, changes);
  expect(packed).toEqual({ from, to: from + 60_000, packed: '0l1 0i0,1,2 310g1 2l 88l1002 8600b1' });
  expect(unpackChanges(packed)).toEqual(changes);
  expect(unpackChanges(packChanges(from, from + 1, []))).toEqual([]);
});

it('of a cluster that flaps end where there is no room left, and claim nothing beyond', () => {
  const changes = Array.from({ length: 5_000 }, (_, index): PartitionChange => {
    return { at: from + index * 700, kind: 'isr', brokers: index % 2 === 0 ? [0, 1] : [0, 1, 2] };
  });
  const packed = packChanges(from, from + 3_600_000, changes);
  expect(packed.packed.length).toBeLessThanOrEqual(8_192);
  const kept = unpackChanges(packed);
  expect(kept.length).toBeGreaterThan(500);
  expect(packed.to).toBe(kept.at(-1)?.at);
});
