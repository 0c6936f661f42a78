import fc from 'fast-check';
import { expect, test } from 'vitest';
import { keyOf, scheduleOf } from '../../src/liveness/schedule.ts';

const streams = fc.record({
  rate: fc.integer({ min: 1, max: 1_000_000 }),
  partitions: fc.integer({ min: 1, max: 64 }),
});

test('the partitions together have as many records due as the rate says, at any time', () => {
  fc.assert(
    fc.property(streams, fc.integer({ min: 0, max: 3_600_000 }), ({ rate, partitions }, elapsedMs) => {
      let due = 0;
      for (let partition = 0; partition < partitions; partition++) {
        due += scheduleOf(rate, partitions, partition).dueBy(elapsedMs);
      }
      // The first record is due at once.
      expect(due).toBe(Math.floor((elapsedMs * rate) / 1_000 + 1e-6) + 1);
    }),
  );
});

test('a record is due when it is said to be, and not before', () => {
  fc.assert(
    fc.property(streams, fc.nat(63), fc.nat(1_000_000), ({ rate, partitions }, lane, sequence) => {
      const schedule = scheduleOf(rate, partitions, lane % partitions);
      const at = schedule.dueAt(sequence);
      expect(schedule.dueBy(at)).toBe(sequence + 1);
      if (sequence > 0) expect(schedule.dueBy((at + schedule.dueAt(sequence - 1)) / 2)).toBe(sequence);
    }),
  );
});

test('each key is of one partition alone, and all are used', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 0, max: 30 }), (partitions, more) => {
      const keys = partitions + more;
      const owner = new Map<string | undefined, number>();
      for (let partition = 0; partition < partitions; partition++) {
        for (let sequence = 0; sequence < keys; sequence++) {
          const key = keyOf(keys, partitions, partition, sequence);
          expect(owner.get(key) ?? partition).toBe(partition);
          owner.set(key, partition);
        }
      }
      expect(owner.size).toBe(keys);
    }),
  );
});

test('records have no key unless keys are asked for', () => {
  expect(keyOf(0, 3, 1, 7)).toBeUndefined();
});
