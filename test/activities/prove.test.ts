import { expect, test } from 'vitest';
import { recoveriesOf } from '../../src/activities/close-stream.ts';
import { proofOf } from '../../src/activities/prove.ts';
import type { KillAct, KillPlan, KillRecord } from '../../src/experiment/result.ts';
import type { Observation, ObserverReport } from '../../src/liveness/protocol.ts';

const plan = { index: 0, broker: 2, leader: 2, pod: 'kafka-2', podUid: 'u', replicas: [2, 0, 1] } as KillPlan;
const act: KillAct = {
  outcome: 'deleted',
  requestedAt: 10_000,
  answeredAt: 10_005,
  gracePeriodSeconds: 30,
  repeated: false,
};

/** An observer whose clock goes `skew` ms before ours. */
function observer(observations: Observation[], skew = 0): ObserverReport {
  return {
    now: Date.now() + skew,
    observations: observations.map((one) => ({ ...one, at: one.at + skew })),
  } as ObserverReport;
}

function prove(seen: object, report: ObserverReport | undefined) {
  return proofOf({ plan, act } as Parameters<typeof proofOf>[0], seen, report);
}

test('a death is proven by the pod that is gone, with leader and recovery by the observer’s clock corrected to ours', () => {
  const report = observer(
    [
      { at: 9_000, kind: 'leader', broker: 2, leaderEpoch: 4 },
      { at: 10_300, kind: 'leader', broker: 0, leaderEpoch: 5 },
      { at: 10_350, kind: 'isr', isr: [0, 1] },
      { at: 13_000, kind: 'broker-gone', broker: 2 },
      { at: 22_000, kind: 'isr', isr: [0, 1, 2] },
    ],
    5_000,
  );
  const proof = prove({ goneAt: 14_000, exitCode: 143, exitReason: 'Error' }, report);
  expect(proof).toMatchObject({ proven: true, exitCode: 143, newLeader: 0, newLeaderEpoch: 5 });
  for (const [value, expected] of [
    [proof.timeToNewLeaderMs, 300],
    [proof.timeToFullIsrMs, 12_000],
    [proof.processGoneAt, 13_000],
  ]) {
    expect(Math.abs((value ?? 0) - (expected ?? 0))).toBeLessThan(50);
  }
});

test('a process that is gone while its pod terminates is a death too; a connection that broke alone is not', () => {
  const report = observer([{ at: 10_200, kind: 'broker-gone', broker: 2 }]);
  expect(prove({ terminatingAt: 10_010 }, report).proven).toBe(true);
  expect(prove({}, report).proven).toBe(false);
});

test('what was not observed is absent, not invented', () => {
  const proof = prove({ goneAt: 14_000 }, undefined);
  expect(proof.proven).toBe(true);
  expect(proof).not.toHaveProperty('timeToNewLeaderMs');
  expect(proof).not.toHaveProperty('timeToFullIsrMs');
});

test('an ISR that never shrank is no recovery, one that is still short is none yet', () => {
  expect(prove({ goneAt: 1 }, observer([{ at: 12_000, kind: 'isr', isr: [0, 1, 2] }]))).not.toHaveProperty(
    'timeToFullIsrMs',
  );
  expect(prove({ goneAt: 1 }, observer([{ at: 12_000, kind: 'isr', isr: [0, 1] }]))).not.toHaveProperty(
    'timeToFullIsrMs',
  );
});

test('an eviction is somebody else’s doing, and proves no kill', () => {
  const proof = prove({ goneAt: 1, evicted: 'disk pressure' }, undefined);
  expect(proof).toMatchObject({ proven: false, foreign: expect.stringContaining('disk pressure') });
});

test('a deletion that may have been somebody else’s proves no kill', () => {
  const doubt = 'its grace is 5 s, not 30 s';
  const request = { plan, act: { ...act, doubt } } as Parameters<typeof proofOf>[0];
  expect(proofOf(request, { goneAt: 1 }, undefined)).toMatchObject({ proven: false, foreign: doubt });
});

test('recoveries that a watch did not see are read from the whole run, each up to the next kill', () => {
  const kill = (index: number, requestedAt: number, timeToFullIsrMs?: number): KillRecord => ({
    index,
    deadline: '',
    status: 'proven',
    retargets: 0,
    plan,
    act: { ...act, requestedAt },
    proof: { proven: true, evidence: [], ...(timeToFullIsrMs === undefined ? {} : { timeToFullIsrMs }) },
  });
  const now = Date.now();
  const report = { ...observer([]), now } as ObserverReport;
  report.observations = [
    { at: 10_100, kind: 'isr', isr: [0, 1] },
    { at: 29_500, kind: 'isr', isr: [0, 1, 2] },
    { at: 30_200, kind: 'isr', isr: [1, 2] },
    { at: 50_400, kind: 'isr', isr: [0, 1, 2] },
  ];
  const kills = [kill(0, 10_000), kill(1, 30_000), kill(2, 50_000, 17)];
  expect(recoveriesOf(kills, report, now)).toEqual([{ index: 0, timeToFullIsrMs: 19_500 }]);
  expect(recoveriesOf(kills, undefined, now)).toEqual([]);
});
