import { CustomChart, type CustomSeriesOption } from 'echarts/charts';
import {
  GridComponent,
  type GridComponentOption,
  LegendComponent,
  type LegendComponentOption,
  TitleComponent,
  type TitleComponentOption,
} from 'echarts/components';
import { type ComposeOption, init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { countKills } from '../experiment/earlier-kills.ts';
import type { ChaosResult, Verdict } from '../experiment/result.ts';
import { duration, plain } from './format.ts';
import { barKindsIn, barStyles } from './legend.ts';
import { light } from './palette.ts';
import { type Bar, type BarKind, type Chart, chartOf, type Kill } from './timeline-chart.ts';

use([CustomChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer]);

type Option = ComposeOption<
  CustomSeriesOption | GridComponentOption | LegendComponentOption | TitleComponentOption
>;
type RenderItem = NonNullable<CustomSeriesOption['renderItem']>;

const verdictColors: Record<Verdict, string> = {
  Pass: light.good,
  Fail: light.bad,
  Inconclusive: light.warn,
  Error: light.bad,
  Stopped: light.warn,
  Skipped: light.warn,
};

const width = 960;
const left = 96;
const right = 28;
const top = 138;
const laneHeight = 36;
/** Without quotes: the renderer writes them into attributes as they are. */
const fontFamily = 'system-ui, Segoe UI, DejaVu Sans, sans-serif';
const { ink, faint } = light;

/** Below this many pixels between two kills their figures would run into each other. */
const figuresNeed = 120;

/**
 * A run as a picture: the stream, each broker of the partition and the kills, on one axis of seconds since the first deadline.
 * Standalone SVG on white. A run that killed nobody gives its verdict alone.
 */
export function timelineSvg(result: ChaosResult): string {
  const chart = chartOf(result);
  const height = chart ? top + chart.lanes.length * laneHeight + 76 : 84;
  const canvas = init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    canvas.setOption(chart ? { ...heading(result), ...figure(chart) } : heading(result));
    return `${canvas.renderToSVGString()}\n`;
  } finally {
    canvas.dispose();
  }
}

function heading(result: ChaosResult): Option {
  const { verdict, name, plannedKills, stream, startedAt, reasons } = result;
  const proven = countKills(result, 'proven');
  const facts = stream
    ? [
        `${proven} of ${plannedKills} kills proven`,
        `${stream.lost} of ${stream.acked} acknowledged records lost`,
        `longest silence ${duration(stream.longestSilenceMs)}`,
        `${startedAt.slice(0, 16).replace('T', ' ')} UTC`,
      ]
    : [plain(reasons[0] ?? '').slice(0, 130)];
  return {
    animation: false,
    backgroundColor: light.ground,
    textStyle: { fontFamily, color: ink },
    title: {
      left: 20,
      top: 14,
      text: `{verdict|${verdict}}{name|${name}}`,
      textStyle: {
        rich: {
          verdict: { fontSize: 20, fontWeight: 'bold', color: verdictColors[verdict] },
          name: { fontSize: 20, fontWeight: 'normal', color: ink, padding: [0, 0, 0, 22] },
        },
      },
      subtext: facts.join('   ·   '),
      subtextStyle: { fontSize: 13, color: faint },
      itemGap: 8,
    },
  };
}

function figure(chart: Chart): Option {
  const { lanes, bars, kills, from, to } = chart;
  const kinds = barKindsIn(chart);
  const pixels = ((width - left - right) * smallestGap(kills, to)) / (to - from);
  return {
    legend: {
      bottom: 10,
      left: left - 5,
      itemWidth: 14,
      itemHeight: 14,
      itemGap: 28,
      textStyle: { color: ink, fontSize: 12 },
      data: kinds.map((kind) => barStyles[kind].name),
    },
    grid: { left, right, top, height: lanes.length * laneHeight },
    xAxis: {
      type: 'value',
      min: from,
      max: to,
      axisLabel: {
        formatter: (value: number) => `${value} s`,
        color: faint,
        showMinLabel: false,
        showMaxLabel: false,
      },
      axisLine: { show: true, lineStyle: { color: faint } },
      axisTick: { show: true },
      splitLine: { lineStyle: { color: light.line, opacity: 0.5 } },
    },
    yAxis: {
      type: 'category',
      data: lanes,
      inverse: true,
      axisLabel: { color: ink, fontSize: 13 },
      axisLine: { show: false },
      axisTick: { show: false },
    },
    series: [
      ...kinds.map((kind) => barSeries(kind, bars)),
      killSeries(kills, lanes.length, pixels >= figuresNeed),
    ],
  };
}

function barSeries(kind: BarKind, bars: Bar[]): CustomSeriesOption {
  const { name, tall } = barStyles[kind];
  const color = light.bars[kind];
  const renderItem: RenderItem = (_params, api) => {
    const [x = 0, y = 0] = api.coord([api.value(1), api.value(0)]);
    const [end = 0] = api.coord([api.value(2), api.value(0)]);
    // A hundred milliseconds must still be seen on a minute.
    const shape = { x, y: y - tall / 2, width: Math.max(end - x, 2), height: tall };
    return { type: 'rect', shape, style: { fill: color } };
  };
  return {
    type: 'custom',
    name,
    color,
    renderItem,
    encode: { x: [1, 2], y: 0 },
    data: bars.filter((bar) => bar.kind === kind).map(({ lane, from, to }) => [lane, from, to]),
  };
}

function killSeries(kills: Kill[], lanes: number, figures: boolean): CustomSeriesOption {
  const renderItem: RenderItem = (params, api) => {
    const kill = kills[params.dataIndex];
    const [x = 0] = api.coord([api.value(0), 0]);
    const bottom = top + lanes * laneHeight;
    const said = (text: string, y: number, style: object) => ({
      type: 'text' as const,
      style: { text, x: x + 5, y, fontFamily, fontSize: 11, fill: faint, ...style },
    });
    return {
      type: 'group',
      children: [
        {
          type: 'line',
          shape: { x1: x, x2: x, y1: top - 46, y2: bottom },
          style: { stroke: ink, lineWidth: 1, lineDash: [3, 3] },
        },
        said(`kill ${(kill?.index ?? 0) + 1}`, top - 48, { fill: ink, fontWeight: 'bold', fontSize: 12 }),
        ...(figures ? (kill?.facts ?? []).map((fact, row) => said(fact, top - 32 + row * 14, {})) : []),
      ],
    };
  };
  return {
    type: 'custom',
    name: 'kills',
    renderItem,
    encode: { x: 0 },
    data: kills.map(({ at }) => [at, 0]),
    z: 5,
  };
}

/** Seconds between the two kills that are nearest, or from a single one to the end. */
function smallestGap(kills: Kill[], to: number): number {
  const gaps = kills.map(({ at }, index) => (kills[index + 1]?.at ?? to) - at);
  return Math.min(...gaps);
}
