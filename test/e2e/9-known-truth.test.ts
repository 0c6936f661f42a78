import { beforeAll, expect, test } from 'vitest';
import { ensureKafka } from '../support/kafka.ts';
import { cluster } from '../support/testbed.ts';
import { testbedBrokers } from '../truth/brokers.ts';
import { makePlan } from '../truth/plan.ts';
import { findTruth } from '../truth/rig.ts';
import { delaysReported, inventedIn, isDisturbed, matches, trueMs } from '../truth/table.ts';

/** Whatever the machine does meanwhile, an outage as long as this cannot be missed. ms */
const plainMs = 300;

beforeAll(async () => {
  await ensureKafka();
});

test('outages made between clients and brokers are each reported once, none is invented, delay is none', async () => {
  const plan = makePlan({ count: 30, longestMs: 1_500, kinds: ['black-hole', 'reset', 'void'] });
  const truth = await findTruth(await testbedBrokers(cluster), { plan, stepMs: 5 });
  const outages = truth.made.filter(({ planned }) => planned.kind !== 'delay');
  expect(outages).toHaveLength(30);
  for (const made of outages) {
    const told = `${made.planned.kind} of ${trueMs(made)} ms: ${JSON.stringify(made)}`;
    const seen = matches(made);
    const paused = isDisturbed(truth, { at: made.span.from, ms: trueMs(made) });
    expect(seen.length, told).toBeLessThanOrEqual(1);
    if (trueMs(made) >= plainMs || !paused) expect(seen, told).toHaveLength(1);
    for (const { at, ms } of seen) {
      // What is reported contains what was; clocks of two processes are read to the millisecond.
      expect(at, told).toBeLessThan(made.span.from + 5);
      expect(at + ms, told).toBeGreaterThan(made.span.to - 5);
      expect(ms, told).toBeLessThan(trueMs(made) + 1_000);
    }
  }
  expect(inventedIn(truth).invented).toBe(0);
  expect(delaysReported(truth)).toEqual([]);
});
