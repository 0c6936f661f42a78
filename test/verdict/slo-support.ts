import type { KillRecord } from '../../src/experiment/kill-record.ts';
import type { Evidence } from '../../src/experiment/result.ts';
import type { SloId } from '../../src/experiment/slo.ts';
import { experimentSchema } from '../../src/experiment/spec.ts';
import type { StreamReport } from '../../src/experiment/stream-report.ts';
import type { VerdictLine } from '../../src/experiment/verdict-line.ts';
import { judge } from '../../src/verdict/judge.ts';
import { passedResult } from '../report/example-result.ts';

const { kills, stream, experiment } = passedResult();
if (!stream || !experiment) throw new Error('the example is not whole');

/** Of a hundred records. */
export const latency = (p99: number) => ({ p50: 1, p99, max: p99, count: 100 });

/** Every figure observed, and every figure 100 at most or 0 where that is the limit by default. */
const fullStream: StreamReport = {
  ...stream,
  longestSilenceMs: 100,
  producerOutage: { count: 1, maxMs: 100, totalMs: 100 },
  faultWindows: {
    count: 3,
    totalMs: 30_000,
    inside: latency(100),
    outside: latency(10),
    throughputDipPercent: 40,
  },
};

/** Evidence of a good run. */
export const whole: Evidence = {
  experiment,
  plannedKills: 3,
  minKills: 3,
  kills,
  stream: fullStream,
  livenessPod: { state: 'running' },
  isrFullAtEnd: true,
  cancelled: false,
};

/** What a person writes to limit one figure. */
export const written: Record<SloId, (limit: number) => object> = {
  lost: (limit) => ({ lost: limit }),
  duplicates: (limit) => ({ duplicates: limit }),
  reorders: (limit) => ({ reorders: limit }),
  'producer-outage-max': (limit) => ({ producerOutageMs: { max: limit } }),
  'producer-outage-total': (limit) => ({ producerOutageMs: { total: limit } }),
  'consumer-silence': (limit) => ({ consumerSilenceMs: limit }),
  'p99-inside-fault': (limit) => ({ p99LatencyMs: { insideFault: limit } }),
  'p99-outside-fault': (limit) => ({ p99LatencyMs: { outsideFault: limit } }),
  'time-to-new-leader': (limit) => ({ timeToNewLeaderMs: limit }),
  'time-to-full-isr': (limit) => ({ timeToFullIsrMs: limit }),
  'throughput-dip': (limit) => ({ throughputDipPercent: limit }),
};

/** Evidence whose kills were proven with other figures, and evidence of another stream. */
export const killsProvenAs = (change: object): Partial<Evidence> => ({
  kills: kills.map((kill): KillRecord => ({ ...kill, proof: kill.proof && { ...kill.proof, ...change } })),
});
export const streamAs = (change: Partial<StreamReport>): Partial<Evidence> => ({
  stream: { ...fullStream, ...change },
});

/** Evidence in which a figure has a value, and evidence in which it was not seen. */
export const seen: Record<SloId, (value: number) => Partial<Evidence>> = {
  lost: (lost) => streamAs({ lost, lostExamples: [7] }),
  duplicates: (duplicated) => streamAs({ duplicated }),
  reorders: (outOfOrder) => streamAs({ outOfOrder }),
  'producer-outage-max': (maxMs) => streamAs({ producerOutage: { count: 1, maxMs, totalMs: 0 } }),
  'producer-outage-total': (totalMs) => streamAs({ producerOutage: { count: 9, maxMs: 0, totalMs } }),
  'consumer-silence': (longestSilenceMs) => streamAs({ longestSilenceMs }),
  'p99-inside-fault': (p99) => streamAs({ faultWindows: { count: 1, totalMs: 1, inside: latency(p99) } }),
  'p99-outside-fault': (p99) => streamAs({ faultWindows: { count: 1, totalMs: 1, outside: latency(p99) } }),
  'time-to-new-leader': (timeToNewLeaderMs) => killsProvenAs({ timeToNewLeaderMs }),
  'time-to-full-isr': (timeToFullIsrMs) => killsProvenAs({ timeToFullIsrMs }),
  'throughput-dip': (throughputDipPercent) =>
    streamAs({ faultWindows: { count: 1, totalMs: 1, throughputDipPercent } }),
};
export const unseen: Record<SloId, Partial<Evidence>> = {
  lost: streamAs({ drained: false }),
  duplicates: streamAs({ drained: false }),
  reorders: streamAs({ drained: false }),
  'producer-outage-max': streamAs({ acked: 0, producerOutage: undefined }),
  'producer-outage-total': streamAs({ producerOutage: undefined }),
  'consumer-silence': streamAs({
    silence: { at: '2026-03-02T10:16:00.000Z', silentMs: 1, confirmed: 'not-observed', evidence: [] },
  }),
  'p99-inside-fault': streamAs({ faultWindows: undefined }),
  'p99-outside-fault': streamAs({ faultWindows: undefined }),
  'time-to-new-leader': killsProvenAs({ timeToNewLeaderMs: undefined }),
  'time-to-full-isr': killsProvenAs({ timeToFullIsrMs: undefined }),
  'throughput-dip': streamAs({ faultWindows: undefined }),
};

/** A good run that was to be judged by these limits, but for what is said. */
export function withSlo(slo: object, change: Partial<Evidence> = {}): Evidence {
  if (!experiment) throw new Error('unreachable');
  return { ...whole, experiment: { ...experiment, slo: experimentSchema.parse({ slo }).slo }, ...change };
}

/** The verdict, and one of the lines that it follows from. */
export function judged(evidence: Evidence, id: VerdictLine['id']) {
  const judgement = judge(evidence);
  const line = judgement.lines.find((one) => one.id === id);
  if (!line) throw new Error(`no line ${id}`);
  return { ...judgement, line };
}
