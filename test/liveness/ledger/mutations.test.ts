import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Tally } from '../../../src/liveness/ledger/tally.ts';
import { healthyWorld, readingOf, unknownOf, verdictOn, type World } from './history.ts';
import { type Counts, mutators } from './mutators.ts';
import { seeded } from './random.ts';

/** Every kind that was named, with its count. */
function named(tally: Tally): Counts {
  return Object.fromEntries([...tally.values()].map(({ kind, count }) => [kind, count]));
}

/** What is to be named of a world: sends without an answer, which healthy runs have too, and what else was done to it. */
function due(world: World, done: Counts = {}): Counts {
  const { seen, unseen } = unknownOf(world);
  const all = { 'unknown-seen': seen, 'unknown-unseen': unseen, ...done };
  return Object.fromEntries(Object.entries(all).filter(([, count]) => count > 0));
}

const outcomes = [
  ['that say where it is', false],
  ['that do not (acks=0)', true],
] as const;

describe.each(outcomes)('with acks %s', (_, unplaced) => {
  test('1,000 healthy runs with lost answers, leader changes and rebuilt readers show no anomaly', () => {
    const unanswered = { seen: 0, unseen: 0 };
    for (let seed = 0; seed < 1_000; seed++) {
      const random = seeded(seed);
      const world = healthyWorld(random, unplaced);
      const tally = verdictOn(world, readingOf(world, random));
      const expected = due(world);
      expect(named(tally), `seed ${seed}`).toEqual(expected);
      unanswered.seen += expected['unknown-seen'] ?? 0;
      unanswered.unseen += expected['unknown-unseen'] ?? 0;
    }
    expect(Math.min(unanswered.seen, unanswered.unseen)).toBeGreaterThan(10_000);
  });

  test('any seed gives a run in which nothing is wrong, read once or twice', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (seed) => {
        const random = seeded(seed);
        const world = healthyWorld(random, unplaced);
        const once = verdictOn(world, readingOf(world, random));
        expect(named(once)).toEqual(due(world));
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
        const world = healthyWorld(random, unplaced);
        const mutant = mutate(world, random);
        if (!mutant) continue;
        mutants++;
        const found = named(verdictOn(world, mutant.steps, mutant.again));
        const done = (unplaced && mutant.unplaced) || mutant.expected;
        expect(found, `seed ${seed}`).toEqual(due(world, done));
      }
      expect(mutants).toBe(60);
    });
  });
});
