import type { KillRecord } from '../../src/experiment/kill-record.ts';
import { type PartitionChange, packChanges } from '../../src/experiment/partition-changes.ts';
import type { ChaosResult } from '../../src/experiment/result.ts';
import {
  detailColumns,
  maxSeriesPoints,
  type SeriesColumn,
  type StreamSeries,
  seriesColumns,
  seriesStepMs,
} from '../../src/experiment/series.ts';
import type { StreamPart } from '../../src/experiment/stream-part.ts';
import { passedResult, steadyAt } from './example-result.ts';

/** A source of numbers below 2 ** 32, so that what is measured is always the same. */
export function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5) >>> 0;
    return state;
  };
}

/** A kill of each minute with everything that a real one records; every hundredth was not proven. */
export function longKill(index: number, next: () => number): KillRecord {
  const uid = () => {
    const hex = [next(), next(), next(), next()].map((part) => part.toString(16).padStart(8, '0')).join('');
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.*)$/, '$1-$2-$3-$4-$5');
  };
  const [broker, newLeader, third] = [index % 3, (index + 1) % 3, (index + 2) % 3];
  const deadline = steadyAt + index * 60_000;
  const requestedAt = deadline + (next() % 9);
  const pod = `kafka-kafka-${broker}`;
  const podUid = uid();
  const goneAt = requestedAt + 2_000 + (next() % 9_000);
  const leaderMs = 250 + (next() % 400);
  const proven = index % 100 !== 57;
  return {
    index,
    deadline: new Date(deadline).toISOString(),
    status: proven ? 'proven' : 'unproven',
    ...(proven ? {} : { reason: 'the pod was evicted: the node was low on resource: memory' }),
    retargets: 0,
    latenessMs: requestedAt - deadline,
    plan: {
      ...{ index, deadline, notAfter: deadline + 20_000, broker, pod, namespace: 'kafka', podUid },
      ...{ resourceVersion: String(9_915 + (next() % 90_000)), node: `leaderfall-worker-${broker}` },
      container: { name: 'k8skafka', id: uid().replaceAll('-', '').repeat(2), restarts: 0 },
      ...{ leader: broker, leaderEpoch: index, isr: [broker, newLeader, third], replicas: [0, 1, 2] },
      ...{ controller: third, guardWaitMs: 0, guardReasons: [] },
    },
    act: {
      outcome: 'deleted',
      requestedAt,
      answeredAt: requestedAt + 20 + (next() % 60),
      gracePeriodSeconds: 300,
      repeated: false,
      apiTime: new Date(Math.floor(requestedAt / 1_000) * 1_000).toISOString(),
    },
    proof: {
      proven,
      death: 'controlled-shutdown',
      evidence: [
        `pod ${pod} (uid ${podUid}) is gone from the API server`,
        'a container ended with exit code 143 (Error)',
        `its log says "[KafkaServer id=${broker}] Controlled shutdown succeeded" at ${new Date(goneAt).toISOString()}`,
        `broker ${broker} closed the observer’s held connection`,
        `broker ${newLeader} leads in epoch ${index + 1}`,
      ],
      expectedOutage: {
        ms: 2_000,
        because: [
          'controlled.shutdown.enable is true: leadership was handed over before the process ended',
          'a client that has to learn of the new leader asks again after its own back-off',
        ],
      },
      outageMs: next() % 900,
      podGoneAt: goneAt + 400,
      processGoneAt: goneAt,
      exitCode: 143,
      exitReason: 'Error',
      newLeader,
      newLeaderAt: requestedAt + leaderMs,
      newLeaderEpoch: index + 1,
      timeToNewLeaderMs: leaderMs,
      timeToFullIsrMs: 12_000 + (next() % 20_000),
      replacementUid: uid(),
      replacementRestarts: 0,
    },
  };
}

/** How far figures of a steady stream of 100 records a second go: the least, and how much above it a value may be. */
const ranges: [RegExp, least: number, above: number, parts: number][] = [
  [/^(sent|acked$|received$)/, 98, 4, 10],
  [/^(acked|received)/, 60, 60, 1],
  [/P50$|Min$/, 1, 6, 1],
  [/P99$/, 5, 80, 1],
  [/Max$/, 5, 1_500, 1],
];

/** A series of so many points, each value another one. */
export function fullSeries(
  span: { from: number; stepMs: number; points: number },
  next: () => number,
  names: readonly SeriesColumn[] = seriesColumns,
): StreamSeries {
  const columns: Partial<Record<SeriesColumn, number[]>> = {};
  for (const name of names) {
    const [, least = 0, above = 1, parts = 1] = ranges.find(([pattern]) => pattern.test(name)) ?? [];
    columns[name] = Array.from({ length: span.points }, () => least + (next() % (above * parts)) / parts);
  }
  return { from: span.from, stepMs: span.stepMs, columns };
}

/** Changes of leader, ISR and process of a kill a minute. */
function killChanges(from: number, to: number, next: () => number): PartitionChange[] {
  const kills = Array.from({ length: (to - from) / 60_000 }, (_, index) => ({
    at: from + index * 60_000,
    broker: index % 3,
  }));
  return kills.flatMap(({ at, broker }): PartitionChange[] => {
    const others = [0, 1, 2].filter((id) => id !== broker);
    return [
      { at: at + 300 + (next() % 300), kind: 'leader', brokers: others.slice(0, 1) },
      { at: at + 700, kind: 'isr', brokers: others },
      { at: at + 2_000 + (next() % 900), kind: 'gone', brokers: [broker] },
      { at: at + 9_000 + (next() % 900), kind: 'back', brokers: [broker] },
      { at: at + 20_000 + (next() % 900), kind: 'isr', brokers: [0, 1, 2] },
    ];
  });
}

/** What a long run's history holds of one of its hours. */
export function hourPart(from: number, seed = 11): StreamPart {
  const next = numbers(seed);
  const to = from + 3_600_000;
  return {
    series: fullSeries({ from, stepMs: 8_000, points: maxSeriesPoints }, next, detailColumns),
    changes: packChanges(from, to, killChanges(from, to, next)),
  };
}

/** A run of a day or less with a kill a minute, as `leaderfall report` reads it from all of its histories. */
export function soakResult(kills: number): ChaosResult {
  const next = numbers(7);
  const passed = passedResult();
  const minutes = kills;
  const stepMs = seriesStepMs(minutes * 60_000);
  const outage = (at: number) => ({ at, ms: 300 + (next() % 900), how: 'refusal' as const });
  const longest = Array.from({ length: 20 }, (_, index) => outage(steadyAt + index * 60_000));
  return {
    ...passed,
    endedAt: new Date(steadyAt + minutes * 60_000 + 60_000).toISOString(),
    plannedKills: kills,
    kills: Array.from({ length: kills }, (_, index) => longKill(index, next)),
    stream: passed.stream && {
      ...passed.stream,
      partitionOutages: {
        count: kills,
        totalMs: 600 * kills,
        longestMs: 1_200,
        stepMs: 3,
        floorMs: 40,
        longest,
      },
      producerOutage: { count: kills, maxMs: 1_500, totalMs: 700 * kills },
      producerOutages: longest.map(({ at, ms }) => ({
        ...{ partition: 0, at, ms, errors: { NOT_LEADER_OR_FOLLOWER: 3 }, failedSends: 0, retries: 4 },
        ...{ backoffMs: 210, rebuilds: 0, leaderKnownAt: at + 250, clientRecoveryMs: 80, servedMs: 90 },
      })),
      metadata: {
        ...{ leaderlessMs: 100, leaderlessCount: 4, leaderChanges: kills, controllerChanges: 12 },
        underReplicatedSeconds: 21.5 * kills,
        shrinks: longest.map(({ at }) => ({
          partition: 0,
          at,
          fullAt: at + 21_000 + (next() % 999),
          least: 2,
        })),
      },
    },
    timeline: Array.from({ length: 140 }, (_, index) => ({
      at: new Date(steadyAt + index * 60_000).toISOString(),
      step: 'kill' as const,
      text: `kill ${index + 1} proven: controlled-shutdown, exit 143, leader 1 after ${next() % 900} ms, ISR full after 21453 ms`,
    })),
    series: fullSeries({ from: steadyAt, stepMs, points: maxSeriesPoints }, next),
    parts: Array.from({ length: kills / 60 }, (_, hour) => hourPart(steadyAt + hour * 3_600_000, hour + 1)),
  };
}
