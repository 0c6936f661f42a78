import type { LineSeriesOption } from 'echarts/charts';
import type { ChaosResult } from '../../experiment/result.ts';
import type { SeriesPoint } from '../../experiment/series.ts';
import { duration } from '../format.ts';
import type { Palette } from '../palette.ts';
import { type StreamPoint, streamPoints } from '../stream-points.ts';
import type { Panel } from './panel.ts';

type Figure = Exclude<keyof SeriesPoint, 'at'>;

/** A line of a panel: what it shows, how it is called and how it looks. */
interface Line {
  figure: Figure;
  name: string;
  color: string;
  type?: 'solid' | 'dashed' | 'dotted';
  width?: number;
  /** What of several points stands where a pixel has more than one: the worst. */
  sampling?: 'min' | 'max' | 'average';
}

/** Below this a logarithmic axis has nothing to tell, ms. */
const leastMs = 1;

/** Throughput and latency over time; none where the history holds no series. A side that was not observed has no line. */
export function streamPanels(result: Pick<ChaosResult, 'series' | 'parts'>, palette: Palette): Panel[] {
  const points = streamPoints(result);
  if (points.length === 0) return [];
  const all = [result.series, ...(result.parts ?? []).map(({ series }) => series)];
  const observed = new Set(all.flatMap((series) => Object.keys(series?.columns ?? {})));
  const shown = (lines: Line[]) => lines.filter(({ figure }) => observed.has(figure));
  return [throughput(points, shown, palette), latency(points, shown, palette)];
}

type Shown = (lines: Line[]) => Line[];

function throughput(points: StreamPoint[], shownOf: Shown, { lines }: Palette): Panel {
  // Where a point is longer than a second, its worst second is a line of its own: no dip is averaged away.
  const worst: Line[] = points.some(({ at, until }) => until - at > 1_000)
    ? [{ figure: 'ackedMin', name: 'slowest second acked', color: lines.second, width: 1, sampling: 'min' }]
    : [];
  const all: Line[] = [
    { figure: 'sent', name: 'sent', color: lines.calm, width: 3, type: 'dotted' },
    { figure: 'acked', name: 'acked', color: lines.first, sampling: 'min' },
    { figure: 'received', name: 'received', color: lines.third, type: 'dashed', sampling: 'min' },
    ...worst,
  ];
  const shown = shownOf(all);
  return {
    title: 'Records a second',
    height: 120,
    yAxis: { type: 'value', min: 0, splitNumber: 3 },
    series: shown.map((line) => lineOf(line, points, { said: String, least: 0 })),
    legend: shown.map(({ name }) => name),
    tooltip: 'axis',
  };
}

function latency(points: StreamPoint[], shownOf: Shown, { lines }: Palette): Panel {
  const all: Line[] = [
    { figure: 'ackP50', name: 'ack p50', color: lines.first },
    { figure: 'ackP99', name: 'ack p99', color: lines.second, type: 'dashed', sampling: 'max' },
    { figure: 'ackMax', name: 'ack max', color: lines.third, width: 1, sampling: 'max' },
    { figure: 'receiveMax', name: 'receive max', color: lines.calm, type: 'dotted', sampling: 'max' },
  ];
  const shown = shownOf(all);
  return {
    title: 'Latency',
    height: 120,
    yAxis: { type: 'log', min: leastMs, axisLabel: { formatter: tick } },
    series: shown.map((line) => lineOf(line, points, { said: duration, least: leastMs })),
    legend: shown.map(({ name }) => name),
    tooltip: 'axis',
  };
}

/** A point is a stretch of time, so the line holds each value to the end of it: a dip begins where its second does. */
function lineOf(
  { figure, name, color, type = 'solid', width = 1.5, sampling = 'average' }: Line,
  points: StreamPoint[],
  { said, least }: { said: (value: number) => string; least: number },
): LineSeriesOption {
  const last = points.at(-1);
  const end = last ? [{ ...last, at: last.until }] : [];
  return {
    type: 'line',
    name,
    color,
    lineStyle: { type, width },
    step: 'end',
    sampling,
    symbol: 'none',
    data: [...points, ...end].map((point) => {
      const value = point[figure];
      return [point.at, value === null ? null : Math.max(value, least)];
    }),
    tooltip: { valueFormatter: (value) => (typeof value === 'number' ? said(value) : '-') },
  };
}

/** `10 ms`, `1 s` */
function tick(ms: number): string {
  return ms < 1_000 ? `${ms} ms` : `${ms / 1_000} s`;
}
