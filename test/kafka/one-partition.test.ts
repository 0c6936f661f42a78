import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { ofOnePartition } from '../../src/kafka/one-partition.ts';

const kafkajs = createRequire(import.meta.url);
/** As kafkajs groups records before it sends them. */
const group = kafkajs('kafkajs/src/producer/groupMessagesPerPartition.js');

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
