import { createRequire } from 'node:module';
import { afterEach, expect, test, vi } from 'vitest';
import { ofOnePartition } from '../../src/kafka/one-partition.ts';

const kafkajs = createRequire(import.meta.url);
/** As kafkajs groups records before it sends them, and then encodes them. */
const group = kafkajs('kafkajs/src/producer/groupMessagesPerPartition.js');
const newRecord = kafkajs('kafkajs/src/protocol/recordBatch/record/v0/index.js');
const requests = ['v2', 'v3', 'v7'].map((version): [string, Produce] => [
  version,
  kafkajs(`kafkajs/src/protocol/requests/produce/${version}/request.js`),
]);

type Produce = (options: object) => { encode(): Promise<{ buffer: Buffer }> };

afterEach(() => {
  vi.restoreAllMocks();
});

const records = (count: number) =>
  Array.from({ length: count }, (_, at) => ({ value: Buffer.from(`${at}`), partition: 3 }));

function grouped(messages: object[], partitionOf = (message: { partition: number }) => message.partition) {
  let asked = 0;
  const partitioner = ({ message }: { message: { partition: number } }) => {
    asked++;
    return partitionOf(message);
  };
  const partitionMetadata = [{ partitionId: 3 }];
  return { groups: group({ topic: 'stream', partitionMetadata, messages, partitioner }), asked };
}

test.each([0, 1, 929])('%i records are one group in their order, which is asked for once', (count) => {
  const all = records(count);
  const { groups, asked } = grouped(ofOnePartition([...all]));
  expect(groups).toEqual(count === 0 ? {} : { 3: all });
  expect(asked).toBe(Math.min(count, 1));
});

test('who asks the list for something else is given just that', () => {
  const sum = ofOnePartition(records(4)) as unknown as { reduce(step: unknown, from: number): number };
  expect(sum.reduce((total: number, { value }: { value: Buffer }) => total + Number(value), 10)).toBe(16);
});

/** The bytes that kafkajs sends for records. */
async function sent(produce: Produce, messages: object[], compression: number): Promise<Buffer> {
  const partitions = [{ partition: 3, firstSequence: 7, messages: grouped(messages).groups[3] }];
  const topicData = [{ topic: 'stream', partitions }];
  return (await produce({ acks: -1, timeout: 3_000, compression, topicData }).encode()).buffer;
}

const contents: [string, { key?: string; value: Buffer }][] = [
  ['short', { value: Buffer.from('x') }],
  ['empty', { value: Buffer.alloc(0) }],
  ['of 1 KB', { value: Buffer.alloc(1_000, 'abc') }],
  ['of 20 KB, with a key', { key: 'schlüssel', value: Buffer.alloc(20_000, 'abc') }],
  ['with an empty key', { key: '', value: Buffer.from('x') }],
];

test.each(
  requests.flatMap(([version, produce]) =>
    contents.flatMap(([what, content]) =>
      [0, 1].map((compression) => ({ version, produce, what, content, compression })),
    ),
  ),
)(
  'records $what go out byte for byte as kafkajs encodes them, $version, compression $compression',
  async (one) => {
    vi.spyOn(Date, 'now').mockReturnValue(1_764_000_000_000);
    for (const count of [1, 63, 64, 65, 200]) {
      const plain = Array.from({ length: count }, () => ({ ...one.content, partition: 3 }));
      const expected = await sent(one.produce, plain, one.compression);
      const bytes = await sent(one.produce, ofOnePartition([...plain]), one.compression);
      expect(bytes.equals(expected), `${count} records`).toBe(true);
    }
  },
);

test('they are encoded at one go, and what kafkajs encodes otherwise it encodes by itself', () => {
  const encoded = (extra: object) => {
    const all = records(929).map((record) => ({ ...record, ...extra }));
    let asked = 0;
    const step = (message: object, offsetDelta: number) => {
      asked++;
      return newRecord({ ...message, offsetDelta });
    };
    const bytes = (grouped(ofOnePartition([...all])).groups[3] as object[])
      .map(step)
      .map(({ buffer }) => buffer);
    const expected = all.map((record, offsetDelta) => newRecord({ ...record, offsetDelta }).buffer);
    expect(bytes).toHaveLength(929);
    expect(Buffer.concat(bytes).equals(Buffer.concat(expected))).toBe(true);
    return asked;
  };
  expect(encoded({})).toBe(1);
  // Also by whoever asks after the first.
  expect(encoded({ headers: { of: 'one' } })).toBeGreaterThan(900);
});
