import { expect, test } from 'vitest';
import { newReadLedger } from '../../src/liveness/ledger/read.ts';
import { encodeRecord, probeProducer, type StreamRecord } from '../../src/liveness/record.ts';
import { takeDown } from '../../src/liveness/take-down.ts';

const record: StreamRecord = { producer: 0, partition: 1, sequence: 0, at: 1_000 };

/** What a ledger has of one record that lay in partition 1. */
function taken(value: Buffer) {
  const ledger = newReadLedger();
  const found = takeDown(ledger, { partition: 1, offset: 0, value }, 'run-1', 1_001);
  return { found: found?.finding, received: ledger.received, named: [...ledger.tally.keys()] };
}

test('a record of the run in its partition is received', () => {
  expect(taken(encodeRecord(record, 'run-1'))).toEqual({ found: 'new', received: 1, named: [] });
});

test('a record in another partition than it says, or of another run, is foreign', () => {
  const foreign = { found: undefined, received: 0, named: ['foreign'] };
  expect(taken(encodeRecord({ ...record, partition: 0 }, 'run-1'))).toEqual(foreign);
  expect(taken(encodeRecord(record, 'run-2'))).toEqual(foreign);
});

test('one wrong byte anywhere is damage, in a record of another run too', () => {
  for (const run of ['run-1', 'run-2']) {
    const value = encodeRecord(record, run, 200);
    for (let at = 0; at < value.length; at++) {
      const wrong = Buffer.from(value);
      wrong[at] = (wrong[at] ?? 0) ^ 1;
      // Behind the checksum there is a space, which says nothing.
      if (at !== 8) expect(taken(wrong).named, `byte ${at}`).toEqual(['damaged']);
    }
  }
});

test('a probe is passed over', () => {
  const probe = encodeRecord({ ...record, producer: probeProducer }, 'run-1');
  expect(taken(probe)).toEqual({ found: undefined, received: 0, named: [] });
});
