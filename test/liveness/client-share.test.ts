import { expect, test } from 'vitest';
import type { StreamReport } from '../../src/experiment/result.ts';
import type { ProducerOutage } from '../../src/experiment/stream-figures.ts';
import { besideObserver } from '../../src/liveness/client-share.ts';
import type { ObserverReport } from '../../src/liveness/protocol.ts';

const outage: ProducerOutage = {
  partition: 0,
  at: 10_000,
  ms: 3_000,
  errors: {},
  failedSends: 4,
  retries: 0,
  backoffMs: 200,
  rebuilds: 0,
};

function shared(outages: ProducerOutage[], observer: Partial<ObserverReport>, skewMs = 0): ProducerOutage[] {
  const stream = { producerOutages: outages } as StreamReport;
  return besideObserver(stream, observer as ObserverReport, skewMs).producerOutages ?? [];
}

test('from the leader that is known to the first ack is the client’s own recovery', () => {
  const leaders = [
    { partition: 0, at: 9_000, leader: 0 },
    { partition: 0, at: 10_500, leader: -1 },
    { partition: 0, at: 11_000, leader: 1 },
    { partition: 1, at: 12_500, leader: 2 },
    { partition: 0, at: 14_000, leader: 2 },
  ];
  expect(shared([outage], { leaders })).toMatchObject([{ leaderKnownAt: 11_000, clientRecoveryMs: 2_000 }]);
});

test('where the leader did not change there is nothing to recover from', () => {
  const leaders = [{ partition: 0, at: 9_000, leader: 0 }];
  expect(shared([outage], { leaders })[0]).not.toHaveProperty('clientRecoveryMs');
});

test('what the leader served the observer meanwhile is the client’s, the rest the cluster’s', () => {
  const outages = [
    { at: 9_500, ms: 1_000, how: 'cut' as const },
    { at: 11_000, ms: 700, how: 'silence' as const },
    { at: 20_000, ms: 700, how: 'silence' as const },
  ];
  expect(shared([outage], { outages })).toMatchObject([{ servedMs: 1_800 }]);
  expect(shared([outage], { outages: [{ at: 9_000, ms: 9_000, how: 'cut' }] })).toMatchObject([
    { servedMs: 0 },
  ]);
});

test('of a partition that is not probed, or without an observer, nobody knows', () => {
  expect(shared([{ ...outage, partition: 1 }], { outages: [] })[0]).not.toHaveProperty('servedMs');
  const stream = { producerOutages: [outage] } as StreamReport;
  expect(besideObserver(stream, undefined, 0).producerOutages).toEqual([outage]);
});

test('times are given by the worker’s clock', () => {
  const leaders = [{ partition: 0, at: 11_000, leader: 1 }];
  const metadata = {
    ...{
      leaderlessMs: 0,
      leaderlessCount: 0,
      leaderChanges: 1,
      controllerChanges: 0,
      underReplicatedSeconds: 1,
    },
    shrinks: [{ partition: 0, at: 10_100, fullAt: 11_100, least: 2 }],
  };
  const stream = { producerOutages: [outage] } as StreamReport;
  expect(besideObserver(stream, { leaders, metadata } as ObserverReport, 500)).toMatchObject({
    producerOutages: [{ at: 9_500, leaderKnownAt: 10_500, clientRecoveryMs: 2_000 }],
    metadata: { shrinks: [{ at: 9_600, fullAt: 10_600 }] },
  });
});
