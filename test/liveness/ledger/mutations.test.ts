import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AnomalyKind } from '../../../src/experiment/anomalies.ts';
import type { Tally } from '../../../src/liveness/ledger/tally.ts';
import { healthyWorld, readingOf, verdictOn } from './history.ts';
import { mutators } from './mutators.ts';
import { seeded } from './random.ts';

/** Every kind that was named with its count, but for sends without an answer, which healthy runs have too. */
function named(tally: Tally): Partial<Record<AnomalyKind, number>> {
  const found = [...tally.values()].filter(({ kind }) => !kind.startsWith('unknown'));
  return Object.fromEntries(found.map(({ kind, count }) => [kind, count]));
}

test('1,000 healthy runs with lost answers, leader changes and rebuilt readers show no anomaly', () => {
  let unanswered = 0;
  for (let seed = 0; seed < 1_000; seed++) {
    const random = seeded(seed);
    const world = healthyWorld(random);
    const tally = verdictOn(world, readingOf(world, random));
    expect(named(tally), `seed ${seed}`).toEqual({});
    const told = (kind: AnomalyKind) => tally.get(kind)?.count ?? 0;
    const unknown = world.sends.filter(({ outcome }) => outcome === 'unknown');
    const records = unknown.reduce((sum, { count }) => sum + count, 0);
    expect(told('unknown-seen') + told('unknown-unseen'), `seed ${seed}`).toBe(records);
    unanswered += records;
  }
  expect(unanswered).toBeGreaterThan(10_000);
});

test('any seed gives a run in which nothing is wrong, read once or twice', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (seed) => {
      const random = seeded(seed);
      const world = healthyWorld(random);
      const once = verdictOn(world, readingOf(world, random));
      expect(named(once)).toEqual({});
      const twice = verdictOn(world, readingOf(world, random), readingOf(world, random));
      expect([...twice]).toEqual([...once]);
    }),
  );
});

describe('named, and nothing else is:', () => {
  test.for(Object.entries(mutators))('%s', ([, mutate]) => {
    let mutants = 0;
    for (let seed = 0; mutants < 60 && seed < 1_000; seed++) {
      const random = seeded(seed);
      const world = healthyWorld(random);
      const mutant = mutate(world, random);
      if (!mutant) continue;
      mutants++;
      const found = named(verdictOn(world, mutant.steps, mutant.again));
      const expected = Object.entries(mutant.expected).map(([kind, count]) => [
        kind,
        count === 'some' ? expect.any(Number) : count,
      ]);
      expect(found, `seed ${seed}`).toEqual(Object.fromEntries(expected));
    }
    expect(mutants).toBe(60);
  });
});
