import { expect, test } from 'vitest';
import type { Death } from '../../src/experiment/kill-record.ts';
import { type Dying, outageBound } from '../../src/faults/outage-bound.ts';

const zookeeper = { 'zookeeper.session.timeout.ms': '6000', 'replica.lag.time.max.ms': '10000' };
const leader = { graceSeconds: 30, role: 'leader', controller: false } as const;
const follower = { ...leader, role: 'follower' } as const;

test.each<[string, Dying, Record<string, string>, number | undefined]>([
  ['a controlled shutdown: an election', { ...leader, death: 'controlled-shutdown' }, {}, 2_000],
  ['a crash: the session, an election', { ...leader, death: 'crashed' }, zookeeper, 8_000],
  ['SIGTERM and SIGKILL: the grace besides', { ...leader, death: 'terminated' }, zookeeper, 38_000],
  [
    'by force: what the node gives all the same',
    { ...leader, graceSeconds: 0, death: 'terminated' },
    zookeeper,
    10_000,
  ],
  ['a follower: its lag, where that is sooner', { ...follower, death: 'terminated' }, zookeeper, 17_000],
  ['a follower: its session, where that is sooner', { ...follower, death: 'crashed' }, zookeeper, 8_000],
  [
    'the controller: its successor besides',
    { ...leader, death: 'crashed', controller: true },
    zookeeper,
    10_000,
  ],
  [
    'KRaft’s own session',
    { ...leader, death: 'crashed' },
    { ...zookeeper, 'broker.session.timeout.ms': '9000' },
    11_000,
  ],
  ['a session that was not observed', { ...leader, death: 'crashed' }, {}, undefined],
  [
    'a follower by its lag alone',
    { ...follower, death: 'crashed' },
    { 'replica.lag.time.max.ms': '10000' },
    17_000,
  ],
])('%s', (_, dying, settings, ms) => {
  const bound = outageBound(dying, settings);
  expect(bound.ms).toBe(ms);
  expect(bound.because.length).toBeGreaterThan(0);
});

test('names every setting that it rests on', () => {
  const text = (death: Death) => outageBound({ ...follower, death }, zookeeper).because.join('\n');
  expect(text('terminated')).toMatch(
    /grace of 30 s.*session\.timeout\.ms=6000.*replica\.lag\.time\.max\.ms=10000/s,
  );
  expect(text('controlled-shutdown')).not.toContain('session');
});
