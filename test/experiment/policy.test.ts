import { expect, test } from 'vitest';
import { checkPolicy, policyReasons, type WorkerPolicy } from '../../src/experiment/policy.ts';
import { openTimesSchema } from '../../src/experiment/window.ts';
import { problemOf } from './problem-of.ts';

const now = Date.parse('2026-03-04T12:00:00Z');
const shop = { namespace: 'shop', statefulSet: 'kafka-kafka' };

test.each([
  [['shop'], shop, 'shop'],
  [['prod-*', 'sh*'], shop, 'sh*'],
  [['shop/*'], { namespace: 'shop' }, 'shop/*'],
  [['shop/kafka-kafka'], shop, 'shop/kafka-kafka'],
  [['*/kafka-*'], shop, '*/kafka-*'],
  [['shop/kafka'], shop, undefined],
  [['shop/kafka-kafka'], { namespace: 'shop' }, undefined],
  [['hop', 'sho', 'shop2'], shop, undefined],
  [['shop/kafka.kafka'], shop, undefined],
  [[], shop, undefined],
])('%j protects %j by %s', (protectedTargets, target, pattern) => {
  const reasons = policyReasons({ protectedTargets }, target, now);
  expect(reasons).toEqual(pattern ? [expect.stringContaining(`LEADERFALL_PROTECTED: ${pattern})`)] : []);
  if (!pattern) expect(() => checkPolicy({ protectedTargets }, target, now)).not.toThrow();
  else
    expect(problemOf(() => checkPolicy({ protectedTargets }, target, now))).toMatchObject({
      code: 'TARGET_PROTECTED',
      evidence: [`LEADERFALL_PROTECTED: ${pattern}`],
      retryable: false,
    });
});

test('outside its kill times a worker begins nothing and kills nobody, and says when it does again', () => {
  const killTimes = openTimesSchema.parse({ open: [{ days: ['THURSDAY'], from: '09:00', to: '17:00' }] });
  const policy: WorkerPolicy = { killTimes };
  const { code, message } = problemOf(() => checkPolicy(policy, shop, now));
  expect(code).toBe('OUTSIDE_KILL_TIMES');
  expect(message).toContain('from 2026-03-05T09:00:00.000Z on');
  expect(policyReasons(policy, shop, now)).toHaveLength(1);
  const thursday = Date.parse('2026-03-05T09:00:00Z');
  expect(policyReasons(policy, shop, thursday)).toEqual([]);
  expect(() => checkPolicy(policy, shop, thursday)).not.toThrow();
});
