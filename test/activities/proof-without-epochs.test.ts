import { expect, test } from 'vitest';
import { proofOf } from '../../src/activities/proof-of.ts';
import { experimentSchema } from '../../src/experiment/spec.ts';
import type { Observation, ObserverReport } from '../../src/liveness/protocol.ts';

/** The proof of a kill of broker 2, which led, by what the observer saw. */
function proofBy(observations: Observation[]) {
  const request = {
    plan: { index: 0, broker: 2, leader: 2, controller: 0, pod: 'kafka-2', podUid: 'u', replicas: [2, 0, 1] },
    act: { outcome: 'deleted', requestedAt: 10_000, answeredAt: 10_005, gracePeriodSeconds: 30 },
    resolved: { experiment: experimentSchema.parse({ fault: { kind: 'delete' } }) },
    kafka: { settings: {} },
  } as unknown as Parameters<typeof proofOf>[0];
  return proofOf(request, { goneAt: 14_000 }, { now: Date.now(), observations } as ObserverReport, undefined);
}

test('brokers that tell no epochs have a new leader all the same, and no epoch is made up', () => {
  const proof = proofBy([{ at: 10_300, kind: 'leader', broker: 0, leaderEpoch: -1 }]);
  expect(proof).toMatchObject({ proven: true, newLeader: 0 });
  expect(proof).not.toHaveProperty('newLeaderEpoch');
  expect(proof.evidence).toContain('broker 0 leads');
  const told = proofBy([{ at: 10_300, kind: 'leader', broker: 0, leaderEpoch: 5 }]);
  expect(told.newLeaderEpoch).toBe(5);
  expect(told.evidence).toContain('broker 0 leads in epoch 5');
});
