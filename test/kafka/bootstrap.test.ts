import { expect, test } from 'vitest';
import { connectSender } from '../../src/kafka/record-sender.ts';

test('clients that are made one after the other begin with different brokers: none is stuck on one that hangs', async () => {
  const bootstrap = ['a:9092', 'b:9092', 'c:9092'];
  const asked: string[] = [];
  const dial = async (host: string): Promise<never> => {
    asked.push(host);
    throw new Error('nobody there');
  };
  for (const _ of bootstrap) {
    const made = connectSender({ bootstrap, topic: 't', clientId: 'c', requestTimeoutMs: 1_000, dial });
    await expect(made).rejects.toThrow();
  }
  expect([...new Set(asked)].sort()).toEqual(['a', 'b', 'c']);
});
