import { expect, test } from 'vitest';
import { addReasons } from '../../src/activities/reasons.ts';

test('however often figures change, a kind of reason is kept once, with the newest', () => {
  let reasons: string[] = ['down: broker 3'];
  for (let left = 500; left > 0; left--)
    reasons = addReasons(reasons, [
      `without broker 2 below min.insync.replicas (guard.allow: under-replicated): ${left} partition${left > 1 ? 's' : ''} (t${left}-0)`,
      `StatefulSet kafka is being rolled out: ${500 - left} of 500 pods (guard.allow: rollout)`,
      `6 kills in the last hour are the most, again from ${new Date(left * 1_000).toISOString()} on`,
    ]);
  expect(reasons).toEqual([
    'down: broker 3',
    'without broker 2 below min.insync.replicas (guard.allow: under-replicated): 1 partition (t1-0)',
    'StatefulSet kafka is being rolled out: 499 of 500 pods (guard.allow: rollout)',
    '6 kills in the last hour are the most, again from 1970-01-01T00:00:01.000Z on',
  ]);
});

test('pods are told apart, of more than ten kinds the newest stay, and no text is long', () => {
  const pods = Array.from({ length: 30 }, (_, index) => `pod kafka-${index} is terminating`);
  expect(addReasons([], pods)).toEqual(pods.slice(-10));
  expect(addReasons([], ['a'.repeat(5_000)])[0]?.length).toBeLessThan(310);
});
