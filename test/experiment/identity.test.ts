import { expect, test } from 'vitest';
import {
  belongingOf,
  ownerOf,
  runAnnotations,
  runLabels,
  runOfOwner,
  shortRunId,
  streamOf,
  topicName,
} from '../../src/experiment/identity.ts';

/** Two runs that Temporal started within the same second: version 7 ids share their clock. */
const first = {
  temporalNamespace: 'default',
  workflowId: 'a',
  runId: '01a2079d-2411-7aa0-8c11-5b0c9d3e7f21',
};
const second = { ...first, workflowId: 'b', runId: '01a2079d-54d0-7888-b7f5-7fd4f84b0d60' };

test('runs that start one right after the other have names of their own', () => {
  expect(shortRunId(first)).not.toBe(shortRunId(second));
  expect(topicName(first, 0)).not.toBe(topicName(second, 0));
});

test('an owner is read from both ends, since a workflow id may hold slashes', () => {
  const run = { temporalNamespace: 'default', workflowId: 'chaos/kafka/prod', runId: 'run-1' };
  expect(runOfOwner(ownerOf(run))).toEqual(run);
  expect(runOfOwner('somebody')).toBeUndefined();
});

test.each([{}, { temporalNamespaceId: 'ann' }])(
  'what is written on an object tells whose it is: %j',
  (of) => {
    const run = { ...first, ...of };
    const marks = { labels: runLabels(run), annotations: runAnnotations(run, 1_000) };
    expect(belongingOf(marks)).toEqual({ runId: run.runId, owner: ownerOf(first), expires: 1_000, ...of });
  },
);

test('a topic’s name is legal and says whose it is and until when; so does a group’s', () => {
  const expires = Date.UTC(2026, 10, 23, 15, 59, 59, 1);
  const topic = `leaderfall-${second.runId}-20261123T160000Z`;
  expect(topicName(second, expires)).toBe(topic);
  const stream = { runId: second.runId, expires: Date.UTC(2026, 10, 23, 16), topic };
  expect(streamOf(topic)).toEqual(stream);
  expect(streamOf(`${topic}-12`)).toEqual(stream);
});

test.each(['orders', 'leaderfall-f84b0d60', 'leaderfall-orders-2026', '__consumer_offsets'])(
  'topic %s is no run’s',
  (name) => {
    expect(streamOf(name)).toBeUndefined();
  },
);
