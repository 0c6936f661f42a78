import type { Latency } from '../experiment/result.ts';
import { type TimeSpan, unpackSpans } from '../experiment/spans.ts';

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
}

/** What is asked of a container's record. */
export interface SideRequest {
  /** Whole seconds, in ms. */
  stepMs: number;
  /** Spans whose latency is told apart, epoch ms of the pod's clock. */
  spans: TimeSpan[];
  /** Records that were due before are neither inside nor outside: the stream was still beginning. Epoch ms of the pod's clock. */
  since: number;
}

/** Keeps the stream by the second: rates by when things happened, latencies by when the record was due. */
export interface SeriesRecorder {
  sent(count: number): void;
  /** `count` records that were due at the same time are acknowledged, or received, now. */
  done(dueAt: number, count?: number): void;
  /** The record ends here: what comes later is no silence. */
  end(): void;
  report(request: SideRequest): SideReport;
}

/** Latencies of one second are few different whole numbers, so counting them by value is small and exact. */
interface Second {
  sent: number;
  done: number;
  latencies: Map<number, number>;
}

/** Longest latency that is told apart, ms. */
const longestMs = 3_600_000;

/** Records in memory, some hundred bytes a second. */
export function seriesRecorder(clock: () => number = Date.now): SeriesRecorder {
  const seconds = new Map<number, Second>();
  const at = (ms: number): Second => {
    const second = Math.floor(ms / 1_000);
    let found = seconds.get(second);
    if (!found) {
      found = { sent: 0, done: 0, latencies: new Map() };
      seconds.set(second, found);
    }
    return found;
  };
  let endedAt: number | undefined;
  return {
    sent: (count) => {
      at(clock()).sent += count;
    },
    done: (dueAt, count = 1) => {
      const now = clock();
      at(now).done += count;
      const { latencies } = at(dueAt);
      const latency = Math.min(Math.max(0, Math.round(now - dueAt)), longestMs);
      latencies.set(latency, (latencies.get(latency) ?? 0) + count);
    },
    end: () => {
      endedAt ??= clock();
    },
    report: (request) => sideReport(seconds, request, { now: clock(), endedAt }),
  };
}

/** The query of `GET /series` as a request, the step in whole seconds. */
export function sideRequestOf(query: URLSearchParams): SideRequest {
  const spans = unpackSpans(query.get('spans') ?? '');
  const since = Number(query.get('since') ?? 0);
  return { since, stepMs: Math.max(1, Math.round(Number(query.get('stepMs')) / 1_000)) * 1_000, spans };
}

function sideReport(
  seconds: ReadonlyMap<number, Second>,
  request: SideRequest,
  { now, endedAt = now }: { now: number; endedAt?: number | undefined },
): SideReport {
  const width = request.stepMs / 1_000;
  let earliest = endedAt / 1_000;
  for (const second of seconds.keys()) earliest = Math.min(earliest, second);
  const first = Math.floor(earliest / width) * width;
  const report: SideReport = {
    ...{ now, from: first * 1_000, stepMs: request.stepMs },
    ...{ sent: [], done: [], doneMin: [], doneMax: [], min: [], p50: [], p99: [], max: [] },
    ...{ inside: noLatency, outside: noLatency },
  };
  const inside: Second[] = [];
  const outside: Second[] = [];
  for (let start = first; start * 1_000 <= endedAt; start += width) {
    const point = Array.from({ length: width }, (_, index) => seconds.get(start + index));
    const done = point.map((second) => second?.done ?? 0);
    report.sent.push(mean(point.map((second) => second?.sent ?? 0)));
    report.done.push(mean(done));
    report.doneMin.push(Math.min(...done));
    report.doneMax.push(Math.max(...done));
    const known = point.filter((second) => second !== undefined);
    const { min, p50, p99, max, count } = summary(known);
    report.min.push(count > 0 ? min : null);
    report.p50.push(count > 0 ? p50 : null);
    report.p99.push(count > 0 ? p99 : null);
    report.max.push(count > 0 ? max : null);
    for (const [index, second] of point.entries()) {
      const from = (start + index) * 1_000;
      if (!second || from + 1_000 <= request.since) continue;
      (touches(request.spans, from) ? inside : outside).push(second);
    }
  }
  const { min: _, ...insideLatency } = summary(inside);
  const { min: __, ...outsideLatency } = summary(outside);
  return { ...report, inside: insideLatency, outside: outsideLatency };
}

const noLatency: Latency = { p50: 0, p99: 0, max: 0, count: 0 };

function touches(spans: readonly TimeSpan[], second: number): boolean {
  return spans.some(({ from, to }) => from < second + 1_000 && to > second);
}

/** To a tenth: at one record a second, two seconds may share one. */
function mean(counts: number[]): number {
  return Math.round((counts.reduce((sum, count) => sum + count, 0) / counts.length) * 10) / 10;
}

/** Exact figures of the latencies counted in some seconds. */
function summary(seconds: readonly Second[]): Latency & { min: number } {
  const merged = new Map<number, number>();
  for (const { latencies } of seconds) {
    for (const [latency, count] of latencies) merged.set(latency, (merged.get(latency) ?? 0) + count);
  }
  const counted = [...merged].sort(([a], [b]) => a - b);
  const count = counted.reduce((sum, [, one]) => sum + one, 0);
  const atPercentile = (percentile: number): number => {
    let below = 0;
    const reached = counted.find(([, one]) => {
      below += one;
      return below >= (count * percentile) / 100;
    });
    return reached?.[0] ?? 0;
  };
  const [[min] = [0]] = counted;
  const [max] = counted.at(-1) ?? [0];
  return { min, p50: atPercentile(50), p99: atPercentile(99), max, count };
}
