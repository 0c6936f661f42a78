import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  eachRun,
  fromRuns,
  newSequenceMap,
  nowhere,
  placeOf,
  put,
  type SequenceMap,
  toRuns,
  unknown,
  unplaced,
} from '../../../src/liveness/ledger/sequence-map.ts';

const limit = 60;
const places = fc.oneof(fc.nat({ max: 40 }), fc.constantFrom(unknown, unplaced));
const puts = fc.array(fc.tuple(fc.nat({ max: limit - 12 }), fc.integer({ min: 1, max: 12 }), places));

/** The same as the map, but kept record by record. */
function both(all: [number, number, number][]): { map: SequenceMap; plain: number[] } {
  const map = newSequenceMap();
  const plain: number[] = new Array(limit).fill(nowhere);
  for (const [first, count, place] of all) {
    put(map, first, count, place);
    for (let step = 0; step < count; step++) plain[first + step] = place < unplaced ? place + step : place;
  }
  return { map, plain };
}

test('holds what was put last, record by record', () => {
  fc.assert(
    fc.property(puts, (all) => {
      const { map, plain } = both(all);
      expect(plain.map((_, sequence) => placeOf(map, sequence))).toEqual(plain);
    }),
  );
});

test('keeps no two runs that are one', () => {
  fc.assert(
    fc.property(puts, (all) => {
      const { map } = both(all);
      let next: number | undefined;
      eachRun(map, (_, count, place) => {
        expect(place).not.toBe(next);
        next = place < unplaced ? place + count : place;
      });
    }),
  );
});

test('visits a range as far as it goes, and once', () => {
  fc.assert(
    fc.property(puts, fc.nat({ max: limit }), fc.nat({ max: limit }), (all, from, to) => {
      const { map, plain } = both(all);
      const seen: number[] = [];
      eachRun(
        map,
        (first, count, place) => {
          for (let step = 0; step < count; step++) {
            expect(first + step).toBe(from + seen.length);
            seen.push(place < unplaced ? place + step : place);
          }
        },
        from,
        to,
      );
      expect(seen).toEqual(plain.slice(from, Math.max(from, Math.min(to, map.end))));
    }),
  );
});

test('is the same after its way through JSON', () => {
  fc.assert(
    fc.property(puts, (all) => {
      const { map, plain } = both(all);
      const copy = fromRuns(JSON.parse(JSON.stringify(toRuns(map))));
      expect(plain.map((_, sequence) => placeOf(copy, sequence))).toEqual(plain);
      put(copy, map.end + 3, 2, 7);
      expect(placeOf(copy, map.end + 4)).toBe(8);
    }),
  );
});

test('refuses what its numbers cannot hold', () => {
  expect(() => put(newSequenceMap(), 0, 1, unplaced - 1)).not.toThrow();
  expect(() => put(newSequenceMap(), 0, 2, unplaced - 1)).toThrow(RangeError);
  expect(() => put(newSequenceMap(), unplaced, 1, 0)).toThrow(RangeError);
});
