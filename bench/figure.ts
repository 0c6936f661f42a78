import type { RunEvent } from '../src/cli/history/run-event.ts';
import type { ChaosResult } from '../src/experiment/result.ts';

/** One finished run with everything that was seen of it from outside. */
export interface MeasuredRun {
  /** Absent where the run ended without a result. */
  result?: ChaosResult;
  /** Standard error of the command, for a run that went wrong. */
  stderr: string;
  exitCode: number;
  /** The run's own history. */
  events: RunEvent[];
  /** Requests of the worker that reached the API server during the run, by the audit log: `verb resource[/subresource]` → count. */
  requests: Record<string, number>;
  /** Arrival of each accepted delete of a broker's pod at the API server, epoch ms with fractions, by the audit log. */
  deletions: number[];
  /** What the Temporal server counted as Actions during the run, by their type. */
  actions: Record<string, number>;
  /** Largest resident memory of the worker's process so far, MiB. */
  workerPeakMiB: number;
}

/** One figure: how it is taken from a run, what it should be, and what Litmus needs for the same. */
export interface Figure {
  id: string;
  title: string;
  unit: string;
  /** The largest value that meets the aim; absent where there is none. */
  aim?: number;
  /** For orientation, from one real cluster of this kind. */
  litmus?: string;
  /** No value where the run does not show it; several where it happens more than once a run. */
  measure(run: MeasuredRun): number[];
}

/** The middle and the worst of some values, as the table prints them. */
export interface Summary {
  median: number;
  max: number;
  count: number;
}

/** Undefined where there are no values. The median of an even number is the lower of the two in the middle: a value that was seen. */
export function summarize(values: number[]): Summary | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const median = quantile(sorted, 0.5);
  const max = sorted.at(-1);
  return median === undefined || max === undefined ? undefined : { median, max, count: sorted.length };
}

/** The value that a part (0 to 1) of sorted values does not exceed: one that was seen; undefined where there are none. */
export function quantile(sorted: number[], part: number): number | undefined {
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)];
}

/** Milliseconds from the scheduling of an activity's first run to the end of its last; 0 where it never ended. */
export function stepMs(events: RunEvent[], activity: string): number {
  const from = events.find((event) => event.kind === 'scheduled' && event.activity === activity);
  const to = events.findLast((event) => event.kind === 'completed' && event.activity === activity);
  return from && to ? to.at - from.at : 0;
}

/** Arrival of the first event of a kind that fits, epoch ms. */
export function eventAt(events: RunEvent[], fits: (event: RunEvent) => boolean): number | undefined {
  return events.find(fits)?.at;
}

/** Seconds with millisecond resolution. */
export function seconds(ms: number): number {
  return Math.round(ms) / 1_000;
}
