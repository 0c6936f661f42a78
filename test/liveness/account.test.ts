import { expect, test } from 'vitest';
import { account, type ContainerEnds } from '../../src/liveness/account.ts';
import type { ConsumerReport, ProducerReport } from '../../src/liveness/protocol.ts';
import { decodeRecord, encodeRecord } from '../../src/liveness/record.ts';

const none = { p50: 0, p99: 0, max: 0, count: 0 };
const running: ContainerEnds = {
  producer: { state: 'running' },
  consumer: { state: 'running' },
  observer: { state: 'running' },
};

const producer: ProducerReport = {
  role: 'producer',
  now: 0,
  startedAt: 0,
  stopped: true,
  sent: 100,
  acked: 98,
  ackedIntervals: [
    [0, 49],
    [52, 99],
  ],
  unknown: 2,
  unknownIntervals: [[50, 51]],
  longestAckGapMs: 400,
  ackRate: 0,
  sendToAck: none,
  rebuilds: 0,
};

const consumer: ConsumerReport = {
  role: 'consumer',
  now: 0,
  startedAt: 0,
  received: 99,
  receivedIntervals: [
    [0, 50],
    [52, 99],
  ],
  duplicated: 0,
  outOfOrder: 0,
  foreign: 0,
  longestSilenceMs: 700,
  receiveRate: 0,
  sendToReceive: none,
  drained: true,
  rebuilds: 0,
};

test('a record of unknown outcome is neither lost nor counted as acknowledged', () => {
  const stream = account(producer, consumer, running);
  expect(stream).toMatchObject({ acked: 98, received: 99, lost: 0, unknown: 2, drained: true });
  expect(stream?.notes).toContain('1 of 2 records of unknown outcome were read');
});

test('an acknowledged record that was not read is lost, and the first are named', () => {
  const stream = account(
    producer,
    {
      ...consumer,
      receivedIntervals: [
        [0, 9],
        [12, 99],
      ],
    },
    running,
  );
  expect(stream).toMatchObject({ lost: 2, lostExamples: [10, 11] });
});

test('without the intervals nothing counts as drained, so that nobody takes the totals for a proof', () => {
  const stream = account(producer, { ...consumer, receivedIntervals: undefined }, running);
  expect(stream?.drained).toBe(false);
  expect(stream?.notes.join()).toContain('too fragmented');
});

test('a missing report: nothing can be told', () => {
  expect(account(undefined, consumer, running)).toBeUndefined();
  expect(account(producer, undefined, running)).toBeUndefined();
});

test('records carry their run and a checksum', () => {
  const text = encodeRecord({ index: 7, at: 1_000 }, 'run1');
  expect(decodeRecord(text, 'run1')).toEqual({ index: 7, at: 1_000 });
  expect(decodeRecord(text, 'run2')).toBeUndefined();
  expect(decodeRecord(text.replace('7', '8'), 'run1')).toBeUndefined();
  expect(decodeRecord('', 'run1')).toBeUndefined();
});
