import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PartitionOutage } from '../../src/experiment/outage.ts';
import { longestOutages, type OutageMeter, outageMeter, outagesSince } from '../../src/liveness/outages.ts';
import { spacingMs } from '../../src/liveness/probes.ts';

/** What befalls the way between the prober and the leader, one after the other with a quiet time between. ms */
interface Disturbance {
  kind: 'silence' | 'delay';
  quietMs: number;
  ms: number;
  /** Of a delay: how long it is in force. */
  forMs: number;
}

const latencyMs = 0.6;

/**
 * Probes at a fixed step over a connection that keeps its order: what is sent arrives after the latency and the delay in force,
 * nothing passes in a silence, and the broker takes its time for each. Gives when each silence was.
 */
function play(
  meter: OutageMeter,
  { stepMs, serveMs }: { stepMs: number; serveMs: number },
  disturbances: Disturbance[],
): { from: number; to: number }[] {
  const silences: { from: number; to: number }[] = [];
  const delays: { from: number; to: number; ms: number }[] = [];
  let end = 0;
  for (const { kind, quietMs, ms, forMs } of disturbances) {
    const from = end + quietMs;
    end = from + (kind === 'silence' ? ms : Math.max(forMs, ms) + ms);
    if (kind === 'silence') silences.push({ from, to: end });
    else delays.push({ from, to: from + Math.max(forMs, ms), ms });
  }
  const lane = {};
  const waiting: { sentAt: number; at: number }[] = [];
  let lastAt = 0;
  let lastSentAt = 0;
  let answeredAt = 0;
  const answerUntil = (time: number) => {
    for (let [first] = waiting; first && first.at <= time; [first] = waiting) {
      waiting.shift();
      answeredAt = first.at;
      meter.served({ lane, ...first, waiting: waiting.map(({ sentAt }) => sentAt) });
    }
  };
  for (let sentAt = 0; sentAt < end + 3_000; sentAt += stepMs) {
    answerUntil(sentAt);
    meter.beat(sentAt);
    const [oldest] = waiting;
    if (oldest && sentAt - lastSentAt < spacingMs(sentAt - Math.max(oldest.sentAt, answeredAt))) continue;
    lastSentAt = sentAt;
    const added = delays.find(({ from, to }) => sentAt >= from && sentAt < to)?.ms ?? 0;
    const passes = Math.max(lastAt + serveMs, sentAt + latencyMs + added);
    const held = silences.find(({ from, to }) => passes >= from && passes < to);
    lastAt = held ? held.to : passes;
    waiting.push({ sentAt, at: lastAt });
  }
  return silences;
}

const meterOf = (stepMs: number) => outageMeter(stepMs, (at) => at);
const quiet = fc.double({ min: 1_500, max: 2_000, noNaN: true });
const length = fc.double({ min: 50, max: 10_000, noNaN: true });
const forMs = fc.double({ min: 100, max: 3_000, noNaN: true });
const silence = fc.record({ kind: fc.constant('silence' as const), quietMs: quiet, ms: length, forMs });
const delay = fc.record({
  kind: fc.constant('delay' as const),
  quietMs: quiet,
  ms: fc.double({ min: 1, max: 2_000, noNaN: true }),
  forMs,
});
/** Share of a step that the broker is busy with one probe. */
const busy = fc.double({ min: 0, max: 0.4, noNaN: true });
const step = fc.integer({ min: 1, max: 10 });

test('every silence is reported once, never shorter than it was and longer by less than a step; delay never is', () => {
  fc.assert(
    fc.property(
      step,
      busy,
      fc.array(fc.oneof(silence, delay), { maxLength: 6 }),
      (stepMs, share, disturbances) => {
        const meter = meterOf(stepMs);
        const silences = play(meter, { stepMs, serveMs: stepMs * share }, disturbances);
        const found = meter.outages(0);
        expect(found.map(({ how }) => how)).toEqual(silences.map(() => 'silence'));
        for (const [index, { from, to }] of silences.entries()) {
          const { at, ms } = found[index] as PartitionOutage;
          const error = ms - (to - from);
          expect(error).toBeGreaterThan(-0.1);
          expect(error).toBeLessThanOrEqual(stepMs + 0.1);
          expect(at).toBeLessThanOrEqual(from);
          expect(at + ms).toBeGreaterThanOrEqual(to - 0.1);
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('an outage under a delay much longer than itself is still told from the delay', () => {
  const meter = meterOf(5);
  const delayed: Disturbance = { kind: 'delay', quietMs: 100, ms: 1_500, forMs: 100_000 };
  const silences = play(meter, { stepMs: 5, serveMs: 0 }, [delayed]);
  expect(silences).toEqual([]);
  expect(meter.outages(0)).toEqual([]);
  const both = meterOf(5);
  const lane = {};
  const waiting: number[] = [];
  // 1,500 ms of delay stand; nothing passes between 5,000 and 5,200.
  for (let at = 0; at < 8_000; at += 5) {
    both.beat(at);
    waiting.push(at);
    const passed = at < 5_000 || at >= 5_200 ? at - 1_500 : -1;
    while ((waiting[0] ?? at) <= passed) both.served({ lane, sentAt: waiting.shift() ?? 0, at, waiting });
  }
  expect(both.outages(8_000)).toEqual([{ at: 4_995, ms: 205, how: 'silence' }]);
});

/** Answers at once to a probe every 5 ms from `from` to `to`. */
function served(meter: OutageMeter, from: number, to: number, lane: unknown = 'a'): void {
  for (let at = from; at <= to; at += 5) {
    meter.beat(at);
    meter.served({ lane, sentAt: at, at, waiting: [] });
  }
}

function unanswered(meter: OutageMeter, from: number, to: number): void {
  for (let at = from; at < to; at += 5) meter.beat(at);
}

test('a leader that says that it does not lead, and another that serves later: one outage by refusal', () => {
  const meter = meterOf(5);
  served(meter, 0, 100);
  meter.denied('refusal');
  unanswered(meter, 105, 300);
  served(meter, 300, 400, 'b');
  expect(meter.outages(400)).toEqual([{ at: 100, ms: 200, how: 'refusal' }]);
  expect(meter.totals(400)).toEqual({ count: 1, totalMs: 200 });
});

test('a cut connection that is not back yet is an open outage at once; mere silence could still be delay', () => {
  const cut = meterOf(5);
  served(cut, 0, 100);
  cut.denied('cut');
  unanswered(cut, 105, 300);
  expect(cut.outages(300)).toEqual([{ at: 100, ms: 200, how: 'cut', open: true }]);
  expect(cut.totals(300)).toEqual({ count: 1, totalMs: 200 });
  const silent = meterOf(5);
  served(silent, 0, 100);
  unanswered(silent, 105, 10_050);
  expect(silent.outages(10_050)).toEqual([]);
  unanswered(silent, 10_050, 10_100);
  expect(silent.outages(10_100)).toMatchObject([{ ms: 10_000, open: true }]);
});

test('a silence whose connection ends before later answers can explain it was an outage', () => {
  const meter = meterOf(5);
  served(meter, 0, 100);
  unanswered(meter, 105, 300);
  meter.served({ lane: 'a', sentAt: 105, at: 300, waiting: [110, 120, 280] });
  expect(meter.outages(300)).toEqual([]);
  meter.ended('a');
  expect(meter.outages(300)).toEqual([{ at: 100, ms: 200, how: 'silence' }]);
});

test('what is asked in a silence on another connection and answered at once was no delay, however slowly the first one answers', () => {
  const answeredSlowly = (besideAt: number) => {
    const meter = meterOf(5);
    served(meter, 0, 100);
    unanswered(meter, 105, 1_100);
    for (let sentAt = 105; sentAt < 400; sentAt += 30) {
      meter.served({ lane: 'a', sentAt, at: sentAt + 1_000, waiting: [700, 1_000] });
    }
    meter.served({ lane: 'b', sentAt: 1_000, at: besideAt, waiting: [] });
    return meter.outages(2_000);
  };
  expect(answeredSlowly(1_400)).toEqual([{ at: 100, ms: 1_005, how: 'silence' }]);
  expect(answeredSlowly(1_990)).toEqual([]);
});

test('delay that ends while its first answers come in, overtaken on another connection, is no outage', () => {
  const meter = meterOf(5);
  served(meter, 0, 100);
  unanswered(meter, 105, 1_100);
  for (let sentAt = 105; sentAt < 400; sentAt += 30) {
    meter.served({ lane: 'a', sentAt, at: sentAt + 1_000, waiting: [700, 1_000] });
  }
  meter.ended('a');
  served(meter, 1_400, 1_500, 'b');
  expect(meter.outages(1_500)).toEqual([]);
});

test('a pause of the prober itself is no outage, and is counted as time in which it saw nothing', () => {
  const meter = meterOf(5);
  served(meter, 0, 100);
  served(meter, 400, 500);
  expect(meter.outages(500)).toEqual([]);
  expect(meter.blindMs).toBe(295);
});

test('an answer that was only read late, after a pause of the prober, is no outage', () => {
  const meter = meterOf(5);
  served(meter, 0, 100);
  unanswered(meter, 105, 130);
  // Awake again at 190, it finds the answer that may have come at 131.
  meter.beat(190);
  meter.served({ lane: 'a', sentAt: 105, at: 191, waiting: [110, 120] });
  served(meter, 195, 300);
  expect(meter.outages(300)).toEqual([]);
});

test('silences shorter than the floor are not called outages', () => {
  const meter = meterOf(5);
  served(meter, 0, 100);
  unanswered(meter, 105, 135);
  served(meter, 135, 200);
  expect(meter.outages(200)).toEqual([]);
});

/** After so many outages, one a second, each as long as `msOf` says. */
function meterAfter(count: number, msOf: (index: number) => number): OutageMeter {
  const meter = meterOf(5);
  for (let index = 0; index < count; index++) {
    const [start, end] = [index * 1_000, (index + 1) * 1_000];
    served(meter, start, end - msOf(index));
    meter.denied('cut');
    unanswered(meter, end - msOf(index) + 5, end);
  }
  served(meter, count * 1_000, count * 1_000);
  return meter;
}

test('of many, the longest and the latest are kept one by one; number and sum are of all', () => {
  const many = meterAfter(900, () => 500);
  expect(many.outages(900_000)).toHaveLength(600);
  expect(many.totals(900_000)).toEqual({ count: 900, totalMs: 450_000 });
  const kept = meterAfter(900, (index) => (index < 500 ? 700 : index < 650 ? 300 : 100)).outages(900_000);
  expect(kept.filter(({ ms }) => ms === 700)).toHaveLength(500);
  expect(kept.slice(-100).map(({ at }) => at)).toEqual(
    Array.from({ length: 100 }, (_, index) => (800 + index) * 1_000 + 900),
  );
});

test('what happened since a moment is told, however long and many the outages before it were', () => {
  const longBefore = Array.from({ length: 600 }, (_, index) => ({
    ...{ at: index * 1_000, ms: 900, how: 'cut' as const },
    partition: index % 64,
  }));
  const felt = { partition: 0, at: 700_000, ms: 200, how: 'cut' as const };
  const lasting = { partition: 3, at: 690_000, ms: 15_000, how: 'cut' as const };
  expect(outagesSince([...longBefore, felt, lasting], 699_000)).toEqual([felt, lasting]);
});

test('a report has the longest of all partitions, and some of each', () => {
  const ofOthers = Array.from({ length: 2_000 }, (_, index) => ({
    ...{ at: index, ms: 900, how: 'cut' as const },
    partition: 1 + (index % 3),
  }));
  const ofFirst = Array.from({ length: 30 }, (_, index) => ({
    ...{ at: 10_000 + index, ms: 100 + index, how: 'cut' as const },
    partition: 0,
  }));
  const told = outagesSince([...ofOthers, ...ofFirst], 0);
  expect(told.filter(({ partition }) => partition !== 0)).toHaveLength(500);
  expect(told.filter(({ partition }) => partition === 0)).toEqual(ofFirst.slice(-10));
});

test('the longest twenty are given in the order of time', () => {
  const outages = Array.from({ length: 30 }, (_, index) => ({ at: index, ms: index, how: 'cut' as const }));
  const { longest, longestMs } = longestOutages(outages);
  expect(longest.map(({ at }) => at)).toEqual(Array.from({ length: 20 }, (_, index) => index + 10));
  expect(longestMs).toBe(29);
});
