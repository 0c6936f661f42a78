import { expect, test } from 'vitest';
import type { ProducerOutage } from '../../src/experiment/stream-figures.ts';
import type { StreamReport } from '../../src/experiment/stream-report.ts';
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
  return (
    besideObserver(stream, observer as ObserverReport, { skewMs, minInsyncReplicas: 2 }).producerOutages ?? []
  );
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

test('each partition is held against its own outages; an older observer probed partition 0 alone', () => {
  const outages = [
    { partition: 0, at: 10_000, ms: 2_000, how: 'cut' as const },
    { partition: 1, at: 10_000, ms: 500, how: 'cut' as const },
  ];
  const both = [outage, { ...outage, partition: 1 }];
  const partitionOutages = { partitions: 2 } as ObserverReport['partitionOutages'];
  const served = shared(both, { outages, partitionOutages }).map(({ servedMs }) => servedMs);
  expect(served).toEqual([1_000, 2_500]);
  const older = shared(both, { outages: [{ at: 10_000, ms: 2_000, how: 'cut' }] });
  expect(older.map(({ servedMs }) => servedMs)).toEqual([1_000, undefined]);
});

/** 9 s without an ack, of which the partition was out for 2 s, as the sends ended and as the replicas were. */
function stuckIn(
  change: Partial<ProducerOutage>,
  least = 2,
  acks: 0 | 1 | 'all' = 'all',
): number | undefined {
  const stream = {
    producerOutages: [{ ...outage, ms: 9_000, ...change }],
    delivery: { acks },
  } as unknown as StreamReport;
  const metadata = { shrinks: [{ partition: 0, at: 10_100, least }] };
  const outages = [{ at: 10_000, ms: 2_000, how: 'cut' }];
  const observer = { outages, metadata } as unknown as ObserverReport;
  const beside = besideObserver(stream, observer, { skewMs: 0, minInsyncReplicas: 2 });
  return beside.producerOutages?.[0]?.stuckMs;
}

test('a client that sends nothing to a leader that serves, with replicas enough in sync, is stuck', () => {
  expect(stuckIn({})).toBe(7_000);
  expect(stuckIn({ errors: { NOT_LEADER_FOR_PARTITION: 30, ECONNREFUSED: 2 } })).toBe(7_000);
  expect(stuckIn({ errors: { KafkaJSConnectionError: 2 } })).toBe(7_000);
});

test('a client whose record the leader refused, or may have had, is not called stuck', () => {
  expect(stuckIn({ errors: { NOT_ENOUGH_REPLICAS: 1 } })).toBeUndefined();
  expect(stuckIn({ errors: { KafkaJSRequestTimeoutError: 1 } })).toBeUndefined();
  expect(stuckIn({ errors: { REQUEST_TIMED_OUT: 1 } })).toBeUndefined();
  // So long may a request be on its way.
  expect(stuckIn({ ms: 5_000 })).toBeUndefined();
});

test('a client that waits for replicas is not stuck, unless it need not wait for them', () => {
  expect(stuckIn({}, 1)).toBeUndefined();
  expect(stuckIn({}, 1, 1)).toBe(7_000);
});

test('an observer that tells nothing of metadata tells of no stuck client', () => {
  const producerOutages = [{ ...outage, ms: 9_000 }];
  const stream = { producerOutages, delivery: { acks: 'all' } } as unknown as StreamReport;
  const observer = { outages: [] } as unknown as ObserverReport;
  const beside = besideObserver(stream, observer, { skewMs: 0, minInsyncReplicas: 2 });
  expect(beside.producerOutages).toEqual([{ ...outage, ms: 9_000, servedMs: 9_000 }]);
});

test('of a partition that is not probed, or without an observer, nobody knows', () => {
  expect(shared([{ ...outage, partition: 1 }], { outages: [] })[0]).not.toHaveProperty('servedMs');
  const stream = { producerOutages: [outage] } as StreamReport;
  expect(besideObserver(stream, undefined, { skewMs: 0, minInsyncReplicas: 2 }).producerOutages).toEqual([
    outage,
  ]);
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
  const stream = {
    producerOutages: [outage],
    longestSilenceAt: '2026-11-28T12:00:00.250Z',
    silence: {
      at: '2026-11-28T12:00:09.000Z',
      silentMs: 9_000,
      confirmed: 'outage',
      evidence: ['no leader'],
    },
  } as unknown as StreamReport;
  expect(
    besideObserver(stream, { leaders, metadata } as ObserverReport, { skewMs: 500, minInsyncReplicas: 2 }),
  ).toMatchObject({
    longestSilenceAt: '2026-11-28T11:59:59.750Z',
    silence: { at: '2026-11-28T12:00:08.500Z', silentMs: 9_000, evidence: ['no leader'] },
    producerOutages: [{ at: 9_500, leaderKnownAt: 10_500, clientRecoveryMs: 2_000 }],
    metadata: { shrinks: [{ at: 9_600, fullAt: 10_600 }] },
  });
});
