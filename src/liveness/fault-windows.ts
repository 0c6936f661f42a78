import { pointsOf, type StreamSeries } from '../experiment/series.ts';
import type { TimeSpan } from '../experiment/spans.ts';

/**
 * How much of the throughput the worst second of the spans lost against the median of all other seconds: 0 to 100 %, by acks.
 * Undefined where nothing was seen inside or outside. The first and the last point are partial and do not count.
 */
export function throughputDip(series: StreamSeries, spans: readonly TimeSpan[]): number | undefined {
  const { acked: seen } = series.columns;
  if (!seen) return undefined;
  const points = pointsOf(series).slice(1, seen.length - 1);
  const felt = (at: number) => spans.some(({ from, to }) => from < at + series.stepMs && to > at);
  const inside = points.filter(({ at }) => felt(at)).map(({ ackedMin }) => ackedMin);
  const outside = points.filter(({ at }) => !felt(at)).map(({ acked }) => acked);
  const usual = outside.sort((a, b) => a - b)[Math.floor(outside.length / 2)];
  if (inside.length === 0 || !usual) return undefined;
  return Math.max(0, Math.round((1 - Math.min(...inside) / usual) * 100));
}
