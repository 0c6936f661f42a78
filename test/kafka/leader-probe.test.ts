import { expect, test } from 'vitest';
import { decodeListOffsetsErrors, encodeListOffsetsRequest } from '../../src/kafka/leader-probe.ts';
import { writer } from '../../src/kafka/wire.ts';

test('a request asks a broker for the ends of all partitions given, in the version that every Kafka since 0.10.1 knows', () => {
  const bytes = encodeListOffsetsRequest({ clientId: 'me', topic: 'stream', partitions: [0, 5] });
  // Length, API key 2, version 1, correlation id, client id, replica -1, one topic, two partitions, each with timestamp -1 (latest).
  const expected = writer();
  expected.int16(2);
  expected.int16(1);
  expected.int32(0);
  expected.string('me');
  expected.int32(-1);
  expected.int32(1);
  expected.string('stream');
  expected.int32(2);
  for (const partition of [0, 5]) {
    expected.int32(partition);
    expected.int64(-1n);
  }
  expect(bytes.subarray(4)).toEqual(expected.done());
  expect(bytes.readInt32BE(0)).toBe(bytes.length - 4);
});

test('an answer gives the error of each partition that it names', () => {
  const out = writer();
  out.int32(5);
  out.int32(1);
  out.string('stream');
  out.int32(2);
  for (const [partition, error] of [
    [5, 6],
    [0, 0],
  ] as const) {
    out.int32(partition);
    out.int16(error);
    out.int64(-1n);
    out.int64(42n);
  }
  expect(decodeListOffsetsErrors(out.done())).toEqual(
    new Map([
      [5, 6],
      [0, 0],
    ]),
  );
  const nothing = writer();
  nothing.int32(5);
  nothing.int32(0);
  expect(decodeListOffsetsErrors(nothing.done()).size).toBe(0);
});
