import type { ChaosResult } from '../experiment/result.ts';
import { pointsOf, type SeriesPoint, type StreamSeries } from '../experiment/series.ts';

/** A point of a picture; `until`: epoch ms, the end of the stretch that it tells of. */
export interface StreamPoint extends SeriesPoint {
  until: number;
}

/**
 * The stream over time as finely as a run's histories hold it, oldest first: by the series of its parts, and where there is none, by
 * that of the whole run.
 */
export function streamPoints({ series, parts = [] }: Pick<ChaosResult, 'series' | 'parts'>): StreamPoint[] {
  const finer = parts.flatMap((part) => part.series ?? []);
  const fine = finer.flatMap((one, index) => {
    // A part begins at a whole step, which the one before it may have ended in.
    const end = finer[index + 1]?.from ?? Number.POSITIVE_INFINITY;
    return drawn(one).filter(({ at }) => at < end);
  });
  const covered = (at: number) => finer.some((one) => at >= one.from && at < endOf(one));
  const coarse = series ? drawn(series).filter(({ at }) => !covered(at)) : [];
  return [...fine, ...coarse].sort((a, b) => a.at - b.at);
}

function drawn(series: StreamSeries): StreamPoint[] {
  return pointsOf(series).map((point) => ({ ...point, until: point.at + series.stepMs }));
}

function endOf({ from, stepMs, columns }: StreamSeries): number {
  return from + stepMs * Math.max(0, ...Object.values(columns).map((column) => column.length));
}
