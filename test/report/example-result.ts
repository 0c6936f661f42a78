import type { KillRecord } from '../../src/experiment/kill-record.ts';
import { resolveExperiment } from '../../src/experiment/resolve.ts';
import type { ChaosResult } from '../../src/experiment/result.ts';
import type { StreamSeries } from '../../src/experiment/series.ts';
import { experimentSchema } from '../../src/experiment/spec.ts';
import { judge } from '../../src/verdict/judge.ts';

/** Epoch ms of the first deadline. */
export const steadyAt = Date.parse('2026-03-02T10:15:00.000Z');

const time = (ms: number) => new Date(steadyAt + ms).toISOString();

/** A proven kill of `broker` at 20 s · index, after which `next` leads. */
export function provenKill(index: number, broker: number, next: number): KillRecord {
  const deadline = steadyAt + index * 20_000;
  const requestedAt = deadline + 6;
  return {
    index,
    deadline: new Date(deadline).toISOString(),
    status: 'proven',
    retargets: 0,
    latenessMs: 6,
    plan: {
      index,
      deadline,
      notAfter: deadline + 10_000,
      broker,
      pod: `kafka-kafka-${broker}`,
      namespace: 'kafka',
      podUid: `uid-${index}`,
      resourceVersion: '100',
      leader: broker,
      leaderEpoch: index,
      isr: [0, 1, 2],
      replicas: [0, 1, 2],
      controller: 0,
      guardWaitMs: 0,
      guardReasons: [],
    },
    act: {
      outcome: 'deleted',
      requestedAt,
      answeredAt: requestedAt + 4,
      gracePeriodSeconds: 300,
      repeated: false,
    },
    proof: {
      proven: true,
      evidence: ['pod gone'],
      podGoneAt: requestedAt + 2_400,
      processGoneAt: requestedAt + 1_900,
      exitCode: 143,
      newLeader: next,
      newLeaderAt: requestedAt + 310,
      timeToNewLeaderMs: 310,
      timeToFullIsrMs: 9_500 + index * 700,
      replacementRestarts: index === 1 ? 1 : 0,
    },
  };
}

/** A run as it should be: three leaders killed, nothing lost, nothing left. */
export function passedResult(): ChaosResult {
  const experiment = resolveExperiment(
    experimentSchema.parse({ name: 'kafka-chaos', cluster: { namespace: 'kafka' } }),
    { image: 'leaderfall:1' },
  );
  return {
    schema: 'leaderfall.io/result/v1',
    run: { temporalNamespace: 'default', workflowId: 'kafka-chaos-1', runId: '0193-run' },
    name: 'kafka-chaos',
    verdict: 'Pass',
    reasons: ['the stream survived 3 of 3 planned kills', 'none of 7421 acknowledged records is lost'],
    startedAt: time(-75_000),
    endedAt: time(53_000),
    experiment,
    kafka: {
      provisioner: 'kudo',
      statefulSet: { namespace: 'kafka', name: 'kafka-kafka', uid: 'u', replicas: 3 },
      brokerIds: [0, 1, 2],
      gracePeriodSeconds: 300,
      settings: { 'delete.topic.enable': 'true' },
      made: [],
      packages: [{ name: 'kafka', operatorVersion: '1.3.3', digest: 'ab'.repeat(32), rewrites: [] }],
      reach: 'direct',
      notes: [],
    },
    plannedKills: 3,
    kills: [provenKill(0, 1, 2), provenKill(1, 2, 0), provenKill(2, 0, 1)],
    stream: {
      acked: 7421,
      received: 7421,
      lost: 0,
      lostExamples: [],
      duplicated: 0,
      outOfOrder: 0,
      unknown: 0,
      longestSilenceMs: 640,
      longestSilenceAt: time(20_100),
      longestAckGapMs: 615,
      sendToAck: { p50: 3, p99: 41, max: 618, count: 7421 },
      sendToReceive: { p50: 4, p99: 44, max: 640, count: 7421 },
      drained: true,
      producer: { state: 'terminated', exitCode: 0 },
      consumer: { state: 'terminated', exitCode: 0 },
      observer: { state: 'running' },
      notes: [],
    },
    leftovers: [],
    timeline: [
      { at: time(-74_000), step: 'resolve', text: 'kudo kafka/kafka-kafka' },
      { at: time(-100), step: 'liveness', text: 'stream steady through topic leaderfall-0193' },
      { at: time(52_000), step: 'evaluate', text: 'Pass: the stream survived 3 of 3 planned kills' },
    ],
    versions: { leaderfall: '0.1.0' },
  };
}

/** A run whose stream broke after its only kill. */
export function failedResult(): ChaosResult {
  const passed = passedResult();
  const [kill] = passed.kills;
  const { newLeader, newLeaderAt, timeToNewLeaderMs, timeToFullIsrMs, ...seen } = kill?.proof ?? {
    proven: true,
    evidence: [],
  };
  return {
    ...passed,
    verdict: 'Fail',
    reasons: ['the stream stopped: no record for 40.0 s, and a fresh client saw the outage too'],
    failStep: 'evaluate',
    kills: kill ? [{ ...kill, proof: seen }] : [],
    stream: passed.stream && {
      ...passed.stream,
      longestSilenceMs: 40_000,
      longestSilenceAt: time(50),
      silence: { at: time(40_050), silentMs: 40_000, confirmed: 'outage', evidence: ['no leader'] },
    },
    leftovers: [{ kind: 'Topic', name: 'leaderfall-0193', reason: 'the brokers refuse topic deletion' }],
  };
}

/** A run that was refused before anything was touched. */
export function refusedResult(): ChaosResult {
  const { run, name, startedAt, schema } = passedResult();
  return {
    schema,
    run,
    name,
    startedAt,
    endedAt: startedAt,
    verdict: 'Error',
    reasons: ['INPUT_INVALID: cluster.namespac: unknown field; nearest is "namespace"'],
    failStep: 'resolve',
    problem: {
      code: 'INPUT_INVALID',
      step: 'resolve',
      message: 'cluster.namespac: unknown field; nearest is "namespace"',
      evidence: ['cluster.namespac: unknown field; nearest is "namespace"'],
      next: '`leaderfall schema` prints every field with its default.',
      retryable: false,
    },
    plannedKills: 0,
    kills: [],
    leftovers: [],
    timeline: [],
    versions: {},
  };
}

/** A run whose second kill was not made, because a broker was down: too little to say. */
export function inconclusiveResult(): ChaosResult {
  const passed = passedResult();
  const reason = 'broker 1 is down, and the guard does not allow a kill beside it';
  const kills = passed.kills.map((kill, index): KillRecord => {
    if (index !== 1) return kill;
    const { proof, latenessMs, ...aimed } = kill;
    return {
      ...aimed,
      status: 'skipped',
      reason,
      act: { outcome: 'skipped', reason, at: steadyAt + 30_000 },
    };
  });
  return {
    ...passed,
    verdict: 'Inconclusive',
    reasons: ['2 of 3 planned kills are proven, 3 are asked for', `kill 2 was skipped: ${reason}`],
    kills,
  };
}

/** A run with the verdict that its evidence leads to, and its lines. */
export function judged(result: ChaosResult): ChaosResult {
  const { experiment, plannedKills, kills, stream } = result;
  const { failStep: _, ...rest } = result;
  const judgement = judge({
    experiment,
    plannedKills,
    minKills: plannedKills,
    kills,
    stream,
    livenessPod: { state: 'running' },
    isrFullAtEnd: kills.every(({ proof }) => !proof || proof.timeToFullIsrMs !== undefined),
    cancelled: false,
  });
  return { ...rest, ...judgement };
}

/** The stream of a run by the second: steady but for a second without acks after each kill, or for good after `stopsAfter` s. */
export function exampleSeries(result: ChaosResult, stopsAfter = Number.POSITIVE_INFINITY): StreamSeries {
  const killedAt = result.kills.flatMap(({ act }) => (act?.outcome === 'deleted' ? [act.requestedAt] : []));
  const seconds = Array.from({ length: 55 }, (_, index) => index - 2);
  const column = (value: (second: number, hit: boolean) => number | null) =>
    seconds.map((second) => {
      const hit = killedAt.some((at) => Math.floor((at - steadyAt) / 1_000) === second);
      return value(second, hit);
    });
  const wave = (second: number) => 3 + Math.abs(Math.sin(second * 7));
  const alive = (second: number, value: number) => (second > stopsAfter ? null : value);
  const rate = (second: number, hit: boolean) => (second > stopsAfter ? 0 : hit ? 38 : 100);
  return {
    from: steadyAt - 2_000,
    stepMs: 1_000,
    columns: {
      sent: column(() => 100),
      acked: column(rate),
      received: column(rate),
      ackMin: column((second) => alive(second, 1)),
      ackP50: column((second, hit) => alive(second, wave(second) * (hit ? 20 : 1))),
      ackP99: column((second, hit) => alive(second, wave(second) * (hit ? 150 : 4))),
      ackMax: column((second, hit) => alive(second, wave(second) * (hit ? 180 : 6))),
      receiveMax: column((second, hit) => alive(second, wave(second) * (hit ? 200 : 9))),
    },
  };
}
