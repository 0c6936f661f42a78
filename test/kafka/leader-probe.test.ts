import { expect, test } from 'vitest';
import { decodeListOffsetsError, encodeListOffsetsRequest } from '../../src/kafka/leader-probe.ts';
import { writer } from '../../src/kafka/wire.ts';

test('a request asks a leader for the end of partition 0, in the version that every Kafka since 0.10.1 knows', () => {
  const bytes = encodeListOffsetsRequest({ clientId: 'me', topic: 'stream', partition: 0 });
  // Length, API key 2, version 1, correlation id, client id, replica -1, one topic, one partition, timestamp -1 (latest).
  const expected = writer();
  expected.int16(2);
  expected.int16(1);
  expected.int32(0);
  expected.string('me');
  expected.int32(-1);
  expected.int32(1);
  expected.string('stream');
  expected.int32(1);
  expected.int32(0);
  expected.int64(-1n);
  expect(bytes.subarray(4)).toEqual(expected.done());
  expect(bytes.readInt32BE(0)).toBe(bytes.length - 4);
});

test('an answer gives the partition’s error; one that names no partition does not know it', () => {
  const answer = (error: number) => {
    const out = writer();
    out.int32(5);
    out.int32(1);
    out.string('stream');
    out.int32(1);
    out.int32(0);
    out.int16(error);
    out.int64(-1n);
    out.int64(42n);
    return out.done();
  };
  expect(decodeListOffsetsError(answer(0))).toBe(0);
  expect(decodeListOffsetsError(answer(6))).toBe(6);
  const nothing = writer();
  nothing.int32(5);
  nothing.int32(0);
  expect(decodeListOffsetsError(nothing.done())).toBe(3);
});
