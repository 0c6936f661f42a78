import { describe, expect, test } from 'vitest';
import { proofOf } from '../../src/activities/proof-of.ts';
import { isWhole } from '../../src/activities/prove.ts';
import { recoveriesOf } from '../../src/activities/recoveries-of.ts';
import { noteVictim, type SeenDeath } from '../../src/activities/watch-death.ts';
import type { KillAct, KillPlan, KillRecord } from '../../src/experiment/kill-record.ts';
import { experimentSchema } from '../../src/experiment/spec.ts';
import { unseenRecoveries } from '../../src/experiment/unseen-recovery.ts';
import { silentLog } from '../../src/faults/shutdown-log.ts';
import type { Pod } from '../../src/kubernetes/workloads.ts';
import type { Observation, ObserverReport } from '../../src/liveness/protocol.ts';

const plan = {
  index: 0,
  broker: 2,
  leader: 2,
  controller: 0,
  pod: 'kafka-2',
  podUid: 'u',
  container: { name: 'k8skafka', id: 'c0ffee', restarts: 0 },
  replicas: [2, 0, 1],
} as KillPlan;
const settings = { 'zookeeper.session.timeout.ms': '6000', 'replica.lag.time.max.ms': '10000' };
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

type Request = Parameters<typeof proofOf>[0];

function requestOf(change: Partial<Request> = {}, kind = 'delete'): Request {
  const experiment = experimentSchema.parse({ fault: { kind } });
  return { plan, act, resolved: { experiment }, kafka: { settings }, ...change } as Request;
}

function prove(seen: object, report: ObserverReport | undefined) {
  return proofOf(requestOf(), seen, report, undefined);
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

test('the outage of a kill is the longest that its request was followed by, none where none was, unknown where nobody probed', () => {
  const seen = { goneAt: 14_000 };
  const outageOf = (outages?: ObserverReport['outages']) =>
    prove(seen, { ...observer([]), aheadMs: 5_000, ...(outages ? { outages } : {}) }).outageMs;
  const outage = (at: number, ms: number) => ({ at: at + 5_000, ms, how: 'cut' as const });
  expect(outageOf([outage(1_000, 8_000), outage(10_020, 300.4), outage(12_000, 90)])).toBe(300);
  expect(outageOf([outage(1_000, 8_000)])).toBe(0);
  // Kills are aimed by partition 0, and so is what such a death should cost.
  const elsewhere = { ...outage(10_020, 900), partition: 1 };
  expect(outageOf([elsewhere, { ...outage(10_020, 300), partition: 0 }])).toBe(300);
  expect(outageOf()).toBeUndefined();
});

test('how often the new pod restarted is part of the proof', () => {
  expect(prove({ goneAt: 14_000, replacementRestarts: 2 }, undefined).replacementRestarts).toBe(2);
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
  const request = requestOf({ act: { ...act, doubt } });
  expect(proofOf(request, { goneAt: 1 }, undefined, undefined)).toMatchObject({
    proven: false,
    foreign: doubt,
  });
});

const killed: KillAct = { ...act, outcome: 'killed', gracePeriodSeconds: 0 };
const crashReport = () =>
  observer([
    { at: 10_020, kind: 'broker-gone', broker: 2 },
    { at: 16_100, kind: 'leader', broker: 0, leaderEpoch: 5 },
  ]);

test('a crash is proven by its exit code and by a leadership that was held until the process was gone', () => {
  const proof = proofOf(
    requestOf({ act: killed }, 'crash'),
    { exitCode: 137, exitReason: 'Error' },
    crashReport(),
    silentLog(),
  );
  expect(proof).toMatchObject({ proven: true, death: 'crashed', exitCode: 137, newLeader: 0 });
  expect(proof.expectedOutage?.ms).toBe(8_000);
});

test('a crash whose exit code the next life’s has taken is proven by what its node saw', () => {
  const request = requestOf({ act: { ...killed, endedAfterMs: 12 } }, 'crash');
  const proof = proofOf(request, { replacementRestarts: 1 }, crashReport(), undefined);
  expect(proof).toMatchObject({ proven: true, death: 'crashed', newLeader: 0 });
  expect(proof).not.toHaveProperty('exitCode');
  expect(proof.evidence.join('\n')).toContain('dead 12 ms after SIGKILL');
});

test('an exit code is waited for, but not one that the next life’s end has taken', () => {
  const request = requestOf({ act: { ...killed, endedAfterMs: 12 } }, 'crash');
  const proof = { proven: true, evidence: [], newLeader: 0, timeToFullIsrMs: 9_000 };
  expect(isWhole(request, proof, {}, true)).toBe(false);
  expect(isWhole(request, proof, { replacementRestarts: 0 }, true)).toBe(false);
  expect(isWhole(request, proof, { exitCode: 137 }, true)).toBe(true);
  expect(isWhole(request, proof, { replacementRestarts: 1 }, true)).toBe(true);
});

test.each([
  ['no exit code is seen', {}, crashReport(), 'not proven'],
  ['nothing but the exit code is seen', { exitCode: 137 }, undefined, 'not proven'],
  [
    'leadership was handed over before',
    { exitCode: 137 },
    observer([
      { at: 10_010, kind: 'leader', broker: 0, leaderEpoch: 5 },
      { at: 12_000, kind: 'broker-gone', broker: 2 },
    ]),
    'terminated',
  ],
])('it is none where %s', (_, seen, report, death) => {
  const proof = proofOf(requestOf({ act: killed }, 'crash'), seen, report, undefined);
  expect(proof).toMatchObject({ proven: false, death });
});

test('a broker that ran out of memory was not killed by us', () => {
  const seen = { exitCode: 137, exitReason: 'OOMKilled' };
  expect(proofOf(requestOf({ act: killed }, 'crash'), seen, crashReport(), undefined)).toMatchObject({
    proven: false,
    foreign: expect.stringContaining('memory'),
  });
});

test('the expected outage is that of the death which it was, for what the broker was to the partition', () => {
  const seen = { goneAt: 20_000, exitCode: 143, exitReason: 'Error' };
  const handed = observer([
    { at: 10_300, kind: 'leader', broker: 0, leaderEpoch: 5 },
    { at: 13_000, kind: 'broker-gone', broker: 2 },
  ]);
  const proof = proofOf(requestOf(), seen, handed, undefined);
  expect(proof).toMatchObject({ death: 'controlled-shutdown', expectedOutage: { ms: 2_000 } });
  const elsewhere = requestOf({ plan: { ...plan, replicas: [0, 1] } });
  expect(proofOf(elsewhere, seen, handed, undefined)).not.toHaveProperty('expectedOutage');
});

test.each([
  ['leaves the ISR together with its connections: a controlled shutdown', 10_400, 'controlled-shutdown'],
  ['leaves the ISR when its session has run out: none', 16_200, 'terminated'],
])('a follower that %s', (_, isrAt, death) => {
  const follower = requestOf({ plan: { ...plan, broker: 0 } });
  const report = observer([
    { at: 10_300, kind: 'broker-gone', broker: 0 },
    { at: isrAt, kind: 'isr', isr: [2, 1] },
  ]);
  const seen = { goneAt: 12_000, exitCode: 143, exitReason: 'Error' };
  expect(proofOf(follower, seen, report, undefined).death).toBe(death);
});

describe('what the victim’s pod shows', () => {
  const pod = (status: object, restartCount = 1): Pod => ({
    metadata: { uid: 'u' },
    status: {
      containerStatuses: [
        { name: 'exporter', restartCount: 9, state: { terminated: { exitCode: 255 } } },
        { name: 'k8skafka', restartCount, ...status },
      ],
    },
  });
  const ended = (containerID: string) => ({ terminated: { exitCode: 137, reason: 'Error', containerID } });

  test.each([
    ['ended', { state: ended('containerd://c0ffee') }],
    ['came back', { state: { running: {} }, lastState: ended('containerd://c0ffee') }],
  ])('is the end of the plan’s own life of the broker’s container, which %s', (_, status) => {
    const seen: SeenDeath = {};
    noteVictim(seen, plan, pod(status), false);
    expect(seen).toMatchObject({ exitCode: 137, exitReason: 'Error', replacementRestarts: 0 });
  });

  test('and no end of a later life', () => {
    const seen: SeenDeath = {};
    noteVictim(seen, plan, pod({ state: ended('containerd://dead') }, 3), false);
    expect(seen).not.toHaveProperty('exitCode');
    expect(seen.replacementRestarts).toBe(2);
  });
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
  expect(recoveriesOf(unseenRecoveries(kills), report, now)).toEqual([{ index: 0, timeToFullIsrMs: 19_500 }]);
  expect(recoveriesOf(unseenRecoveries(kills), undefined, now)).toEqual([]);
});
