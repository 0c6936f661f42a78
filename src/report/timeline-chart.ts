import { wasCarriedOut } from '../experiment/kill-record.ts';
import type { ChaosResult } from '../experiment/result.ts';
import type { StreamReport } from '../experiment/stream-report.ts';
import { type BrokerState, brokerTimes } from './broker-spans.ts';
import { duration } from './format.ts';
import { tellingKills } from './telling-kills.ts';

/** What a bar shows. */
export type BarKind = BrokerState | 'stream' | 'silence' | 'outage' | 'no-ack';

/** A bar in the lane of that index. Seconds since the first deadline. */
export interface Bar {
  lane: number;
  kind: BarKind;
  from: number;
  to: number;
}

/** A kill that was made. Seconds since the first deadline. */
export interface Kill {
  index: number;
  at: number;
  /** Figures of its recovery, one short text each; not observed is said. */
  facts: string[];
}

/** What happened to a broker after a kill: its process died, it became leader, it was back with all replicas in sync. */
export type MarkKind = 'death' | 'new-leader' | 'full-isr';

/** A moment in the lane of that index. Seconds since the first deadline. */
export interface Mark {
  lane: number;
  kind: MarkKind;
  at: number;
  /** Index of the kill that it follows. */
  kill: number;
}

/** What the picture of a run shows, before any drawing. */
export interface Chart {
  /** Epoch ms of the first deadline. */
  zero: number;
  /** Names from the top. */
  lanes: string[];
  bars: Bar[];
  kills: Kill[];
  marks: Mark[];
  /** Ends of the axis, seconds since the first deadline. */
  from: number;
  to: number;
}

/** The picture of a run; undefined where it ended before the first deadline. */
export function chartOf(result: ChaosResult): Chart | undefined {
  const [first] = result.kills;
  if (!first) return undefined;
  const zero = Date.parse(first.deadline);
  const since = (ms: number) => (ms - zero) / 1_000;
  const brokers = brokerTimes(result);
  const lanes = laneNames(result, brokers.lanes);
  const end = since(endOf(result));
  const bars: Bar[] = [
    ...streamBars(result.stream, since, end),
    ...(result.stream?.partitionOutages?.longest ?? []).map(
      ({ at, ms }): Bar => ({
        lane: lanes.indexOf(partitionLane),
        kind: 'outage',
        from: since(at),
        to: since(at + ms),
      }),
    ),
    ...(result.stream?.producerOutages ?? []).map(
      ({ at, ms }): Bar => ({
        lane: lanes.indexOf(producerLane),
        kind: 'no-ack',
        from: since(at),
        to: since(at + ms),
      }),
    ),
    ...brokers.spans.map(
      ({ broker, state, from, to }): Bar => ({
        lane: lanes.indexOf(brokerLane(broker)),
        kind: state,
        from: since(from),
        to: since(to),
      }),
    ),
  ];
  const last = Math.max(end, ...bars.map(({ to }) => to));
  const margin = Math.max(1, last * 0.02);
  return {
    zero,
    lanes,
    bars,
    kills: killsOf(result, since),
    marks: marksOf(result, lanes, since),
    from: Math.min(0, ...bars.map(({ from }) => from)) - margin,
    to: last + margin,
  };
}

const partitionLane = 'partition';

const producerLane = 'producer';

const brokerLane = (broker: number) => `broker ${broker}`;

/** The partition and the producer have a lane where their outages were looked for, found or not. */
function laneNames(result: ChaosResult, brokers: number[]): string[] {
  const partition = result.stream?.partitionOutages ? [partitionLane] : [];
  const producer = result.stream?.producerOutage ? [producerLane] : [];
  return ['stream', ...producer, ...partition, ...brokers.map(brokerLane)];
}

function killsOf({ kills }: ChaosResult, since: (ms: number) => number): Kill[] {
  return kills.flatMap(({ index, act, proof }) => {
    if (!wasCarriedOut(act)) return [];
    const leader =
      proof?.timeToNewLeaderMs === undefined
        ? 'new leader not seen'
        : `leader ${proof.newLeader} in ${duration(proof.timeToNewLeaderMs)}`;
    const full =
      proof?.timeToFullIsrMs === undefined
        ? 'full ISR not seen'
        : `ISR full in ${duration(proof.timeToFullIsrMs)}`;
    return [{ index, at: since(act.requestedAt), facts: [leader, full] }];
  });
}

function marksOf(result: ChaosResult, lanes: string[], since: (ms: number) => number): Mark[] {
  // Of all kills of a day they would lie on top of each other.
  return tellingKills(result.kills).told.flatMap(({ index, plan, act, proof }) => {
    if (!plan || !proof || !wasCarriedOut(act)) return [];
    const { newLeader, newLeaderAt, timeToFullIsrMs } = proof;
    const fullAt = timeToFullIsrMs === undefined ? undefined : act.requestedAt + timeToFullIsrMs;
    const mark = (kind: MarkKind, broker: number | undefined, at: number | undefined): Mark[] =>
      broker === undefined || at === undefined
        ? []
        : [{ lane: lanes.indexOf(brokerLane(broker)), kind, at: since(at), kill: index }];
    return [
      ...mark('death', plan.broker, proof.processGoneAt ?? proof.podGoneAt),
      ...mark('new-leader', newLeader, newLeaderAt),
      ...mark('full-isr', plan.broker, fullAt),
    ];
  });
}

/** The stream runs from the first deadline, which is when it was found steady, to its end. */
function streamBars(stream: StreamReport | undefined, since: (ms: number) => number, end: number): Bar[] {
  if (!stream) return [];
  const bars: Bar[] = [];
  const gaveUp = stream.silence ? since(Date.parse(stream.silence.at)) : undefined;
  bars.push({ lane: 0, kind: 'stream', from: 0, to: gaveUp ?? end });
  if (stream.longestSilenceAt) {
    const from = since(Date.parse(stream.longestSilenceAt));
    bars.push({ lane: 0, kind: 'silence', from, to: from + stream.longestSilenceMs / 1_000 });
  }
  return bars;
}

/** Epoch ms of the verdict, or of the end of the run where it has none on its timeline. */
function endOf({ timeline, endedAt }: ChaosResult): number {
  return Date.parse(timeline.find(({ step }) => step === 'evaluate')?.at ?? endedAt);
}
