import { expect, test } from 'vitest';
import type { Delivery } from '../../src/experiment/anomalies.ts';
import type { ContainerEnds } from '../../src/experiment/stream-report.ts';
import { account, needsSecondReading } from '../../src/liveness/account.ts';
import {
  newReadLedger,
  type ReadLedger,
  recordEnd,
  recordPassed,
  recordRead,
} from '../../src/liveness/ledger/read.ts';
import { readReport } from '../../src/liveness/ledger/read-report.ts';
import { newSentLedger, recordAcked, recordUnknown, sentReport } from '../../src/liveness/ledger/sent.ts';
import type { ConsumerReport, ProducerReport } from '../../src/liveness/protocol.ts';
import { decodeRecord, encodeRecord } from '../../src/liveness/record.ts';

const none = { p50: 0, p99: 0, max: 0, count: 0 };
const delivery: Delivery = { acks: 'all', idempotent: false, retries: false, maxInFlight: 1 };
const running: ContainerEnds = {
  producer: { state: 'running' },
  consumer: { state: 'running' },
  observer: { state: 'running' },
};

/** 100 records, of which nobody knows what became of 50 and 51; 50 is at offset 50, the later ones one lower than they were sent. */
function producer(): ProducerReport {
  const ledger = newSentLedger(0);
  ledger.triedAt = 1_000;
  recordAcked(ledger, 0, 0, 50, 0);
  recordUnknown(ledger, 0, 50, 2);
  recordAcked(ledger, 0, 52, 48, 51);
  return {
    role: 'producer',
    now: 1_000,
    startedAt: 0,
    stopped: true,
    sent: 100,
    acked: 98,
    unknown: 2,
    delivery,
    ledger: sentReport(ledger),
    longestAckGapMs: 400,
    ackRate: 0,
    sendToAck: none,
    rebuilds: 0,
  };
}

function readOf(missing: number[]): ReadLedger {
  const ledger = newReadLedger();
  for (let offset = 0; offset < 99; offset++) {
    const sequence = offset <= 50 ? offset : offset + 1;
    const record = { partition: 0, producer: 0, sequence, offset, due: 0 };
    if (missing.includes(sequence)) recordPassed(ledger, 0, offset + 1);
    else recordRead(ledger, record, 0);
  }
  recordEnd(ledger, 0, 99);
  return ledger;
}

function consumer(missing: number[] = []): ConsumerReport {
  const ledger = readOf(missing);
  return {
    role: 'consumer',
    now: 0,
    startedAt: 0,
    received: ledger.received,
    ledger: readReport(ledger),
    longestSilenceMs: 700,
    receiveRate: 0,
    sendToReceive: none,
    drained: true,
    rebuilds: 0,
  };
}

test('a record of unknown outcome is neither lost nor counted as acknowledged', () => {
  const stream = account({ producer: producer(), consumer: consumer() }, running);
  expect(stream).toMatchObject({ acked: 98, received: 99, lost: 0, unknown: 2, drained: true });
  expect(stream?.notes).toContain('1 of 2 records of unknown outcome were read');
  expect(stream?.anomalies?.map(({ kind, first }) => [kind, first.sequence])).toEqual([
    ['unknown-seen', 50],
    ['unknown-unseen', 51],
  ]);
});

test('an acknowledged record that was not read is lost, and the first and the last are named', () => {
  const stream = account({ producer: producer(), consumer: consumer([10, 11, 70]) }, running);
  expect(stream).toMatchObject({ lost: 3, lostExamples: [10, 70] });
  expect(stream?.anomalies?.[0]).toEqual({
    kind: 'lost',
    count: 3,
    first: { partition: 0, producer: 0, sequence: 10, offset: 10 },
    last: { partition: 0, producer: 0, sequence: 70, offset: 69 },
  });
});

test('a producer that is asked again long after it was stopped was not silent', () => {
  const late: ProducerReport = { ...producer(), now: 31_000 };
  const kinds = (sent: ProducerReport) =>
    account({ producer: sent, consumer: consumer() }, running)?.anomalies?.map(({ kind }) => kind);
  expect(kinds({ ...late, stoppedAt: 1_000 })).not.toContain('silent-producer');
  expect(kinds({ ...late, stoppedAt: 6_500 })).toContain('silent-producer');
  // An earlier image does not tell.
  expect(kinds(late)).toContain('silent-producer');
});

test('what the second reading finds is not lost', () => {
  const sides = { producer: producer(), consumer: consumer([10]) };
  const once = account(sides, running);
  expect(once && needsSecondReading(once)).toBe(true);
  const twice = account({ ...sides, again: readReport(readOf([])) }, running);
  expect(twice).toMatchObject({ lost: 0, lostExamples: [] });
  expect(twice && needsSecondReading(twice)).toBe(false);
});

test('an ack that does not say where its record is (acks=0) shows a loss, and no log that went back', () => {
  const ledger = newSentLedger(0);
  ledger.triedAt = 1_000;
  recordAcked(ledger, 0, 0, 100, -1);
  const unplaced: ProducerReport = {
    ...producer(),
    ...{ acked: 100, unknown: 0, delivery: { ...delivery, acks: 0 }, ledger: sentReport(ledger) },
  };
  const stream = account({ producer: unplaced, consumer: consumer([10, 70]) }, running);
  // Record 51 was never in the log either.
  expect(stream).toMatchObject({ acked: 100, lost: 3, lostExamples: [10, 70], delivery: { acks: 0 } });
  expect(stream?.anomalies?.map(({ kind, count }) => [kind, count])).toEqual([['lost', 3]]);
});

test('a log of which the end was not reached has open gaps, not losses', () => {
  const read = consumer([10]);
  const open = read.ledger?.partitions.map(({ end, ...partition }) => partition) ?? [];
  const cut = {
    ...read,
    drained: false,
    ...(read.ledger ? { ledger: { ...read.ledger, partitions: open } } : {}),
  };
  const stream = account({ producer: producer(), consumer: cut }, running);
  expect(stream).toMatchObject({ lost: 0, drained: false });
  expect(stream?.anomalies?.find(({ kind }) => kind === 'gap-open')).toMatchObject({ count: 2 });
});

test('how records were sent is in the result, with what was observed of the brokers', () => {
  const stream = account({ producer: producer(), consumer: consumer(), uncleanElection: true }, running);
  expect(stream?.delivery).toEqual({ ...delivery, uncleanElection: true });
});

test('without a ledger nothing counts as drained, so that nobody takes the totals for a proof', () => {
  const { ledger, ...fragmented } = consumer();
  const stream = account({ producer: producer(), consumer: fragmented }, running);
  expect(stream?.drained).toBe(false);
  expect(stream?.notes.join()).toContain('too fragmented');
});

test('a stuck client is named, with what a reader beside it was given', () => {
  const direct = {
    ...{ read: 9, longestSilenceMs: 0, leaderChanges: 0, longestSwitchMs: 0, longestStuckMs: 4_000 },
    stuckEvidence: ['partition 0: a reader without a group read up to offset 9'],
  };
  const stream = account({ producer: producer(), consumer: { ...consumer(), direct } }, running);
  expect(stream?.directReader).toEqual(direct);
  expect(stream?.notes).toContain(
    'the consumer’s client was stuck, not the cluster: partition 0: a reader without a group read up to offset 9',
  );
});

test('a missing report: nothing can be told', () => {
  expect(account({ producer: undefined, consumer: consumer() }, running)).toBeUndefined();
  expect(account({ producer: producer(), consumer: undefined }, running)).toBeUndefined();
});

test('records carry their run, their producer and place in it, and a checksum over all of it', () => {
  const record = { producer: 2, partition: 1, sequence: 7, at: 1_000 };
  for (const size of [0, 128, 1_000, 100_000]) {
    const text = encodeRecord(record, 'run1', size);
    expect(size === 0 || text.length === size).toBe(true);
    expect(decodeRecord(text, 'run1')).toEqual(record);
    expect(decodeRecord(text, 'run2')).toBe('foreign');
    expect(decodeRecord(Buffer.from(text.toString().replace(' 7 ', ' 8 ')), 'run1')).toBe('damaged');
    expect(decodeRecord(Buffer.concat([text.subarray(0, -1), Buffer.from('!')]), 'run1')).toBe('damaged');
  }
  expect(decodeRecord(Buffer.alloc(0), 'run1')).toBe('damaged');
});
