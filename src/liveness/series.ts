import { type TimeSpan, unpackSpans } from '../experiment/spans.ts';
import type { Latency } from '../experiment/stream-report.ts';
import { newSeconds, type Seconds, secondsFrom } from './seconds.ts';
import {
  type Apart,
  addTo,
  pairsOf,
  type Spread,
  type SpreadPairs,
  spreadApart,
  summaryOf,
} from './spread.ts';
import { throughput } from './throughput.ts';

/** What one container recorded of its side of the stream, second by second; epoch ms of the pod's clock. */
export interface SideReport {
  now: number;
  /** Start of the first point, a multiple of the step. */
  from: number;
  stepMs: number;
  /** Records sent a second; the producer's alone. */
  sent: number[];
  /** Records acknowledged or received a second: mean, and slowest and fastest single second of the point. */
  done: number[];
  doneMin: number[];
  doneMax: number[];
  /** Latency of the records that were due in the point; null where there was none. */
  min: (number | null)[];
  p50: (number | null)[];
  p99: (number | null)[];
  max: (number | null)[];
  /** Latency of the records that were due in a second that one of the asked spans touches, and of all others since then. */
  inside: Latency;
  outside: Latency;
  /** The same latencies, each with its number of records. */
  latencies?: Apart<SpreadPairs>;
  /** The producer's alone: how long records waited whose send failed (`unsent.ts`). */
  unsent?: Apart<SpreadPairs>;
  /** What the worst second that a span touches lost of the median of all others, since then: 0 to 100 %. */
  dipPercent?: number;
}

/** What is asked of a container's record. */
export interface SideRequest {
  /** Whole seconds, in ms. */
  stepMs: number;
  /** Spans whose latency is told apart, epoch ms of the pod's clock. */
  spans: TimeSpan[];
  /** Records that were due before are neither inside nor outside: the stream was still beginning. Epoch ms of the pod's clock. */
  since: number;
  /** Points are given from here on, and up to there; epoch ms of the pod's clock. */
  from?: number;
  to?: number;
}

/** Keeps the stream by the second: rates by when things happened, latencies by when the record was due. */
export interface SeriesRecorder {
  sent(count: number): void;
  /** `count` records that were due at the same time are acknowledged, or received, now. */
  done(dueAt: number, count?: number): void;
  /** The record ends here: what comes later is no silence. */
  end(): void;
  report(request: SideRequest): SideReport;
  /** Ends the record and gives all of it. */
  pack(): PackedSeries;
}

/** A record that has ended, as numbers. */
export interface PackedSeries {
  blocks: Uint32Array[];
  /** Epoch ms of the pod's clock. */
  endedAt: number;
}

/** Longest latency that is told apart, ms. */
const longestMs = 3_600_000;

/** Records in memory, half a KiB a second at most. */
export function seriesRecorder(clock: () => number = Date.now): SeriesRecorder {
  const seconds = newSeconds();
  const second = (ms: number) => Math.floor(ms / 1_000);
  let endedAt: number | undefined;
  return {
    sent: (count) => seconds.sent(second(clock()), count),
    done: (dueAt, count = 1) => {
      const now = clock();
      const latency = Math.min(Math.max(0, Math.round(now - dueAt)), longestMs);
      seconds.done(second(now), count);
      seconds.latency(second(dueAt), latency, count);
    },
    end: () => {
      endedAt ??= clock();
    },
    report: (request) => sideReport(seconds, request, { now: clock(), endedAt }),
    pack: () => {
      endedAt ??= clock();
      return { blocks: seconds.pack(), endedAt };
    },
  };
}

/** What a recorder would have said of a record that it packed. */
export function recordedSeries({ blocks, endedAt }: PackedSeries, request: SideRequest): SideReport {
  return sideReport(secondsFrom(blocks), request, { now: Date.now(), endedAt });
}

/** The query of `GET /series` as a request, the step in whole seconds. */
export function sideRequestOf(query: URLSearchParams): SideRequest {
  const spans = unpackSpans(query.get('spans') ?? '');
  const since = Number(query.get('since') ?? 0);
  const stepMs = Math.max(1, Math.round(Number(query.get('stepMs')) / 1_000)) * 1_000;
  const [from, to] = [Number(query.get('from')), Number(query.get('to'))];
  return { since, stepMs, spans, ...(from > 0 ? { from } : {}), ...(to > 0 ? { to } : {}) };
}

function sideReport(
  seconds: Seconds,
  request: SideRequest,
  { now, endedAt = now }: { now: number; endedAt?: number | undefined },
): SideReport {
  const width = request.stepMs / 1_000;
  const parts = seconds.parts();
  const begun = Math.min(parts[0]?.second ?? Infinity, endedAt / 1_000);
  const first = Math.floor(Math.max(begun, (request.from ?? 0) / 1_000) / width) * width;
  const end = Math.min(endedAt, request.to ?? Infinity);
  const report: Omit<SideReport, 'inside' | 'outside'> = {
    ...{ now, from: first * 1_000, stepMs: request.stepMs },
    ...{ sent: [], done: [], doneMin: [], doneMax: [], min: [], p50: [], p99: [], max: [] },
  };
  const latency = spreadApart(request);
  const whole = throughput(request, { from: begun * 1_000, to: end });
  let next = parts.findIndex(({ second }) => second >= first);
  for (let start = first; start * 1_000 <= end; start += width) {
    const sent = new Array<number>(width).fill(0);
    const done = new Array<number>(width).fill(0);
    const latencies: Spread = new Map();
    for (let part = parts[next]; part && part.second < start + width; part = parts[++next]) {
      const index = part.second - start;
      sent[index] = (sent[index] ?? 0) + part.sent;
      done[index] = (done[index] ?? 0) + part.done;
      part.eachLatency(addTo(latencies));
      latency.take(part.second, part.eachLatency);
    }
    for (const [index, count] of done.entries()) whole.take((start + index) * 1_000, count);
    report.sent.push(mean(sent));
    report.done.push(mean(done));
    report.doneMin.push(Math.min(...done));
    report.doneMax.push(Math.max(...done));
    const { min, p50, p99, max, count } = summaryOf(latencies);
    report.min.push(count > 0 ? min : null);
    report.p50.push(count > 0 ? p50 : null);
    report.p99.push(count > 0 ? p99 : null);
    report.max.push(count > 0 ? max : null);
  }
  const { min: _, ...inside } = summaryOf(latency.inside);
  const { min: __, ...outside } = summaryOf(latency.outside);
  const dipPercent = whole.dipPercent();
  return {
    ...report,
    ...{ inside, outside, latencies: pairsOf(latency) },
    ...(dipPercent === undefined ? {} : { dipPercent }),
  };
}

/** To a tenth: at one record a second, two seconds may share one. */
function mean(counts: number[]): number {
  return Math.round((counts.reduce((sum, count) => sum + count, 0) / counts.length) * 10) / 10;
}
