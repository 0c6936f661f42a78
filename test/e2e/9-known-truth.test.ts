import { beforeAll, expect, test } from 'vitest';
import { ensureKafka } from '../support/kafka.ts';
import { cluster } from '../support/testbed.ts';
import { logOfBroker, testbedBrokers } from '../truth/brokers.ts';
import { leaderChanges } from '../truth/leader-change.ts';
import { makePlan } from '../truth/plan.ts';
import type { Kind } from '../truth/protocol.ts';
import { findTruth } from '../truth/rig.ts';
import { matches, trueMs, wrongIn } from '../truth/table.ts';

/** Whatever the machine does meanwhile, an outage as long as this cannot be missed. ms */
const plainMs = 300;

/** Each kind twice; `npm run test:truth` makes 204. */
const count = 14;

/** In turn; of those that leave connections behind that no client finds out about, fewer. */
const kinds: Kind[] = ['black-hole', 'reset', 'black-hole', 'reset', 'black-hole', 'reset', 'void'];

beforeAll(async () => {
  await ensureKafka();
});

test('outages made between clients and brokers are each reported once, none is invented, delay is none', async () => {
  const plan = makePlan({ count, longestMs: 1_500, kinds });
  const truth = await findTruth(await testbedBrokers(cluster), {
    plan,
    stepMs: 3,
    clientsMs: 500,
    warmMs: 0,
  });
  const outages = truth.made.filter(({ planned }) => planned.kind !== 'delay');
  expect(outages).toHaveLength(count);
  for (const made of outages) {
    const told = `${made.planned.kind} of ${trueMs(made)} ms: ${JSON.stringify(made)}`;
    const seen = matches(made);
    expect(seen.length, told).toBeLessThanOrEqual(1);
    if (trueMs(made) >= plainMs) expect(seen, told).toHaveLength(1);
    for (const { at, ms } of seen) {
      // What is reported contains what was; clocks of two processes are read to the millisecond.
      expect(at, told).toBeLessThan(made.span.from + 5);
      expect(at + ms, told).toBeGreaterThan(made.span.to - 5);
      expect(ms, told).toBeLessThan(trueMs(made) + 1_000);
    }
  }
  expect(wrongIn(truth, plainMs), JSON.stringify(truth.unmade)).toEqual({
    missed: 0,
    invented: 0,
    delays: 0,
  });
});

test('every change of leader in the brokers’ own logs was seen, about when it was logged', async () => {
  const brokers = await testbedBrokers(cluster);
  const changes = await leaderChanges(brokers, {
    moves: 4,
    logOf: (broker) => logOfBroker(cluster, broker),
  });
  expect(changes.length).toBeGreaterThanOrEqual(4);
  for (const change of changes) {
    expect(change.seenAt, JSON.stringify(changes)).toBeDefined();
    expect(Math.abs((change.seenAt ?? 0) - change.loggedAt), JSON.stringify(change)).toBeLessThan(1_000);
  }
});
