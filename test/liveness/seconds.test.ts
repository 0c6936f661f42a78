import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { maxLatencies, newSeconds, type Seconds, secondsFrom } from '../../src/liveness/seconds.ts';

const first = 1_772_446_500;

/** What is kept of one second, its parts put together. */
function kept(seconds: Seconds, wanted: number) {
  const latencies = new Map<number, number>();
  const parts = seconds.parts().filter(({ second }) => second === wanted);
  for (const part of parts) {
    part.eachLatency((ms, count) => latencies.set(ms, (latencies.get(ms) ?? 0) + count));
  }
  return {
    sent: parts.reduce((sum, part) => sum + part.sent, 0),
    done: parts.reduce((sum, part) => sum + part.done, 0),
    latencies: [...latencies].sort(([a], [b]) => a - b),
  };
}

test('what is put away is what was counted, records that come late included, and goes through a file', () => {
  const event = fc.record({ second: fc.nat(400), ms: fc.nat(30), count: fc.integer({ min: 1, max: 9 }) });
  fc.assert(
    fc.property(fc.array(event, { minLength: 1, maxLength: 200 }), (events) => {
      const seconds = newSeconds();
      const reference = new Map<number, Map<number, number>>();
      for (const { second, ms, count } of events) {
        seconds.sent(first + second, 1);
        seconds.done(first + second, count);
        seconds.latency(first + second, ms, count);
        const latencies = reference.get(second) ?? new Map<number, number>();
        reference.set(second, latencies.set(ms, (latencies.get(ms) ?? 0) + count));
      }
      for (const record of [seconds, secondsFrom(seconds.pack())]) {
        const order = record.parts().map(({ second }) => second);
        expect(order).toEqual([...order].sort((a, b) => a - b));
        for (const [second, latencies] of reference) {
          const own = events.filter((one) => one.second === second);
          expect(kept(record, first + second)).toEqual({
            sent: own.length,
            done: own.reduce((sum, { count }) => sum + count, 0),
            latencies: [...latencies].sort(([a], [b]) => a - b),
          });
        }
      }
    }),
  );
});

test('of a second with too many latencies the shortest, the longest and the number stay, the others get no shorter', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(100_000), { minLength: 60, maxLength: 900 }), (list) => {
      const seconds = newSeconds();
      for (const ms of list) seconds.latency(first, ms, 2);
      const { latencies } = kept(secondsFrom(seconds.pack()), first);
      const sorted = [...list].sort((a, b) => a - b);
      expect(latencies.length).toBeLessThanOrEqual(maxLatencies);
      expect([latencies[0]?.[0], latencies.at(-1)?.[0]]).toEqual([sorted[0], sorted.at(-1)]);
      expect(latencies.reduce((sum, [, count]) => sum + count, 0)).toBe(2 * list.length);
      const spread = latencies.flatMap(([ms, count]) => new Array<number>(count / 2).fill(ms));
      expect(spread.every((ms, index) => ms >= (sorted[index] ?? 0))).toBe(true);
    }),
  );
});

test('a day in which each second has 40 different latencies takes less than 64 MiB', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const used = () => {
    collect();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return (heapUsed + arrayBuffers) / 2 ** 20;
  };
  const before = used();
  const seconds = newSeconds();
  // Each hour costs as much as the one before.
  const hours = 4;
  for (let second = first; second < first + hours * 3_600; second++) {
    seconds.done(second, 40);
    for (let latency = 0; latency < 40; latency++) seconds.latency(second, latency * 7, 1);
  }
  expect(used() - before).toBeLessThan((64 * hours) / 24);
  expect(seconds.parts()).toHaveLength(hours * 3_600);
});
