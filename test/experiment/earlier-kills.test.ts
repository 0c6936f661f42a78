import fc from 'fast-check';
import { expect, test } from 'vitest';
import { countKills, sumUp } from '../../src/experiment/earlier-kills.ts';
import type { KillRecord } from '../../src/experiment/kill-record.ts';
import { packSpans, unpackSpans } from '../../src/experiment/spans.ts';

const guardReasons = Array.from({ length: 10 }, () => 'a reason '.repeat(30));
const second = 1_000;
const start = 1_764_000_000_000;

/** A run's kills, a minute apart, as they may have come to anything. */
const runs = fc
  .array(
    fc.record({
      status: fc.constantFrom('proven', 'proven', 'unproven', 'skipped'),
      leaderMs: fc.option(fc.nat(5_000), { nil: undefined }),
      isrMs: fc.option(fc.nat(50_000), { nil: undefined }),
      foreign: fc.boolean(),
    }),
    { maxLength: 60 },
  )
  .map((facts) =>
    facts.map(({ status, leaderMs, isrMs, foreign }, index): KillRecord => {
      const at = start + index * 60 * second;
      const base = { index, deadline: new Date(at).toISOString(), retargets: 0, status } as const;
      if (status === 'skipped') return { ...base, reason: 'late' };
      return {
        ...base,
        plan: { broker: 1, leader: 1, replicas: [0, 1, 2], guardReasons } as unknown as NonNullable<
          KillRecord['plan']
        >,
        act: { outcome: 'deleted', requestedAt: at, answeredAt: at, gracePeriodSeconds: 30, repeated: false },
        proof: {
          proven: status === 'proven',
          evidence: ['one', 'two', 'three'],
          ...(leaderMs === undefined ? {} : { timeToNewLeaderMs: leaderMs }),
          ...(isrMs === undefined ? {} : { timeToFullIsrMs: isrMs }),
          ...(foreign && status === 'unproven' ? { foreign: 'evicted' } : {}),
        },
      };
    }),
  );

test('however a run is cut into parts, its counts and what its verdict looks at are those of the whole', () => {
  fc.assert(
    fc.property(runs, fc.integer({ min: 1, max: 20 }), (kills, size) => {
      let earlier = sumUp(undefined, [], start);
      for (let from = 0; from < kills.length; from += size) {
        const part = kills.slice(from, from + size);
        earlier = sumUp(earlier, part, start + (from + size) * 60 * second);
      }
      const carried = { kills: earlier.notable, killsElsewhere: earlier.elsewhere };
      for (const status of ['proven', 'unproven', 'skipped'] as const)
        expect(countKills(carried, status)).toBe(countKills({ kills }, status));
      const most = (list: KillRecord[], key: 'timeToNewLeaderMs' | 'timeToFullIsrMs') =>
        Math.max(-1, ...list.map(({ proof }) => proof?.[key] ?? -1));
      const unseen = (list: KillRecord[], key: 'timeToNewLeaderMs' | 'timeToFullIsrMs') =>
        list.some(({ act, proof }) => act && proof?.[key] === undefined);
      for (const key of ['timeToNewLeaderMs', 'timeToFullIsrMs'] as const) {
        expect(most(earlier.notable, key)).toBe(most(kills, key));
        expect(unseen(earlier.notable, key)).toBe(unseen(kills, key));
      }
      const foreign = (list: KillRecord[]) => list.some(({ proof }) => proof?.foreign);
      expect(foreign(earlier.notable)).toBe(foreign(kills));
      expect(earlier.notable.find(({ act }) => act)?.index).toBe(kills.find(({ act }) => act)?.index);
      expect(earlier.notable.length).toBeLessThanOrEqual(10);
      expect(JSON.stringify(earlier.notable).length).toBeLessThan(15_000);
      expect(unpackSpans(earlier.spans)).toHaveLength(kills.filter(({ act }) => act).length);
    }),
    { numRuns: 200 },
  );
});

test('spans as text are the seconds that they touch, and a day of them fits the address of a request', () => {
  const spans = Array.from({ length: 1_440 }, (_, index) => ({
    from: start + index * 60 * second + 250,
    to: start + index * 60 * second + 21_700,
  }));
  const text = packSpans(spans);
  expect(unpackSpans(text)).toEqual(
    spans.map(({ from }) => ({ from: from - 250, to: from - 250 + 22 * second })),
  );
  expect(new URLSearchParams({ spans: text }).toString().length).toBeLessThan(10_000);
  expect(unpackSpans('')).toEqual([]);
});
