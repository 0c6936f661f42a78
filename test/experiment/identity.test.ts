import { expect, test } from 'vitest';
import { shortRunId, topicName } from '../../src/experiment/identity.ts';

/** Two runs that Temporal started within the same second: version 7 ids share their clock. */
const first = {
  temporalNamespace: 'default',
  workflowId: 'a',
  runId: '01a2079d-2411-7aa0-8c11-5b0c9d3e7f21',
};
const second = { ...first, workflowId: 'b', runId: '01a2079d-54d0-7888-b7f5-7fd4f84b0d60' };

test('runs that start one right after the other have names of their own', () => {
  expect(shortRunId(first)).not.toBe(shortRunId(second));
  expect(topicName(first)).not.toBe(topicName(second));
});

test('a topic’s name is legal and says whose it is', () => {
  expect(topicName(second)).toBe('leaderfall-f84b0d60');
});
