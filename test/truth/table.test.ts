import { expect, test } from 'vitest';
import { changesOf } from './leader-change.ts';
import type { Pause } from './protocol.ts';
import type { Made, Truth } from './rig.ts';
import { undisturbedMs, withLeadersPauses, wrongIn } from './table.ts';

/** A black hole from 1,000 on, not reported. */
function missedOf(ms: number, pauses: Truth['pauses']): number {
  const made: Made = {
    planned: { kind: 'black-hole', ms },
    span: { from: 1_000, to: 1_000 + ms },
    reported: [],
  };
  return wrongIn({
    made: [made],
    unmade: [],
    pauses,
    probes: { sent: 0, worstLateMs: 0, blindMs: 0 },
    cpuShare: 0,
  }).missed;
}

test('a pause explains a short outage that was missed, and no long one', () => {
  const pause: Pause = { who: 'leader', from: 1_010, to: 1_040 };
  expect([missedOf(60, []), missedOf(60, [pause])]).toEqual([1, 0]);
  expect(missedOf(3_600, [pause])).toBe(1);
  expect(missedOf(3_600, [{ who: 'leader', from: 990, to: 4_590 }])).toBe(0);
});

test('pauses of several processes at once are one', () => {
  const pauses: Pause[] = [
    { who: 'leader', from: 1_050, to: 1_100 },
    { who: 'leader', from: 900, to: 1_080 },
    { who: 'leader', from: 1_060, to: 1_070 },
    { who: 'leader', from: 1_190, to: 1_300 },
  ];
  expect(undisturbedMs({ pauses }, { at: 1_000, ms: 200 })).toBe(90);
});

test('who led first is no change of leader, nor is an epoch more of the same', () => {
  const epochs = [0, 0, 1, 1, 0].map((broker, leaderEpoch) => ({ broker, leaderEpoch, loggedAt: 0 }));
  expect(changesOf(epochs).map(({ leaderEpoch }) => leaderEpoch)).toEqual([2, 4]);
});

test('an outage that runs into a pause of the leader, or begins in one, is out for as long; others’ pauses change nothing', () => {
  const made: Made = {
    planned: { kind: 'black-hole', ms: 100 },
    span: { from: 1_000, to: 1_100 },
    reported: [],
  };
  const spanWith = (...spans: [Pause['who'], number, number][]) =>
    withLeadersPauses({ pauses: spans.map(([who, from, to]) => ({ who, from, to })) }, made).span;
  expect(spanWith(['leader', 960, 979], ['leader', 980, 1_010])).toEqual({ from: 980, to: 1_100 });
  expect(spanWith(['leader', 1_100.4, 1_130], ['leader', 1_130, 1_150])).toEqual({ from: 1_000, to: 1_130 });
  expect(spanWith(['leader', 1_040, 1_060], ['leader', 900, 990], ['leader', 1_110, 1_140])).toEqual(
    made.span,
  );
  expect(spanWith(['proxy', 990, 1_120], ['observer', 1_100, 1_150])).toEqual(made.span);
});
