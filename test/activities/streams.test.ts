import { expect, test } from 'vitest';
import { removeStream } from '../../src/activities/streams.ts';
import { fakeKafka } from './step-support.ts';

const topic = 'leaderfall-a-20261128T000000Z';
const { signal } = new AbortController();

test('a topic is removed when no broker lists it any more, not when its deletion is agreed', async () => {
  const kafka = fakeKafka();
  kafka.topics.add(topic);
  kafka.deletion = 'pending';
  let looks = 0;
  kafka.topicListed = async () => ++looks < 3;
  const removed = await removeStream(kafka, { topic, groups: [] }, { signal });
  expect(removed).toEqual({ done: [`topic ${topic} removed`], leftovers: [] });
  expect(looks).toBe(3);
});

test('a topic that the brokers agree to delete and go on listing is a leftover', async () => {
  const kafka = fakeKafka();
  kafka.topics.add(topic);
  kafka.deletion = 'pending';
  const { done, leftovers } = await removeStream(kafka, { topic, groups: [] }, { signal, patienceMs: 0 });
  expect(done).toEqual([]);
  expect(leftovers).toMatchObject([
    { kind: 'Topic', name: topic, reason: expect.stringContaining('still list it') },
  ]);
});
