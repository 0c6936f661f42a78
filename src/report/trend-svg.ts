import { LineChart, type LineSeriesOption, ScatterChart, type ScatterSeriesOption } from 'echarts/charts';
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
import type { Verdict } from '../experiment/result.ts';
import type { SloId } from '../experiment/slo.ts';
import type { TrendRun } from './trend.ts';

use([LineChart, ScatterChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer]);

type Option = ComposeOption<
  LineSeriesOption | ScatterSeriesOption | GridComponentOption | LegendComponentOption | TitleComponentOption
>;

/** Told apart by shape as well as by colour. */
const verdictMarks: Record<Verdict, { symbol: string; color: string }> = {
  Pass: { symbol: 'circle', color: 'var(--good)' },
  Fail: { symbol: 'diamond', color: 'var(--bad)' },
  Inconclusive: { symbol: 'triangle', color: 'var(--warn)' },
  Error: { symbol: 'pin', color: 'var(--bad)' },
  Stopped: { symbol: 'rect', color: 'var(--warn)' },
  Skipped: { symbol: 'arrow', color: 'var(--line-calm)' },
};

/** Lines of one unit and about one size share a panel. Dashes tell them apart without colour. */
const panels: { title: string; lines: [id: SloId, name: string][] }[] = [
  {
    title: 'Outage, s',
    lines: [
      ['producer-outage-max', 'longest producer outage'],
      ['consumer-silence', 'longest silence at the consumer'],
    ],
  },
  {
    title: 'Recovery, s',
    lines: [
      ['time-to-new-leader', 'to a new leader'],
      ['time-to-full-isr', 'to the full ISR'],
    ],
  },
  {
    title: 'p99 send to receive, s',
    lines: [
      ['p99-inside-fault', 'inside fault windows'],
      ['p99-outside-fault', 'outside'],
    ],
  },
];

const width = 1_120;
const left = 64;
const right = 24;
const stripTop = 40;
const stripHeight = 34;
const panelHeight = 130;
const panelRow = panelHeight + 64;
const lineColors = ['var(--line-first)', 'var(--line-second)'];
const dashes = ['solid', 'dashed'] as const;

/** Verdicts and times of runs, oldest first, as an SVG for a page that has the report's colours as variables. */
export function trendSvg(runs: readonly TrendRun[]): string {
  const height = stripTop + stripHeight + panels.length * panelRow + 40;
  const canvas = init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    canvas.setOption(optionOf(runs));
    return canvas.renderToSVGString();
  } finally {
    canvas.dispose();
  }
}

function optionOf(runs: readonly TrendRun[]): Option {
  const names = runs.map(({ startedAt }) => startedAt.slice(5, 16).replace('T', ' '));
  const topOf = (index: number) => stripTop + stripHeight + index * panelRow + 50;
  const grids = [
    { top: stripTop, height: stripHeight },
    ...panels.map((_, index) => ({ top: topOf(index), height: panelHeight })),
  ];
  const titles = ['Verdict', ...panels.map(({ title }) => title)];
  return {
    animation: false,
    textStyle: { fontFamily: 'system-ui, Segoe UI, DejaVu Sans, sans-serif', color: 'var(--ink)' },
    title: titles.map((text, index) => ({
      text,
      left: 0,
      top: (grids[index]?.top ?? 0) - 32,
      textStyle: { fontSize: 13, color: 'var(--ink)' },
    })),
    grid: grids.map((grid) => ({ ...grid, left, right })),
    legend: panels.map(({ title, lines }, index) => ({
      data: lines.map(([, name]) => name),
      top: topOf(index) - 32,
      left: 8 * title.length + 24,
      itemWidth: 28,
      itemGap: 28,
      textStyle: { color: 'var(--ink)', fontSize: 12 },
    })),
    xAxis: grids.map((_, index) => ({
      type: 'category' as const,
      gridIndex: index,
      data: names,
      axisLabel: { show: index === grids.length - 1, color: 'var(--faint)', hideOverlap: true },
      axisLine: { lineStyle: { color: 'var(--line)' } },
      axisTick: { show: false },
    })),
    yAxis: grids.map((_, index) => ({
      type: 'value' as const,
      gridIndex: index,
      show: index > 0,
      ...(index === 0 ? { min: 0, max: 2 } : {}),
      axisLabel: { color: 'var(--faint)' },
      splitLine: { lineStyle: { color: 'var(--line)' } },
    })),
    series: [
      verdictSeries(runs),
      ...panels.flatMap(({ lines }, index) =>
        lines.map(([id, name], line) => lineSeries(runs, { id, name, line, grid: index + 1 })),
      ),
    ],
  };
}

function verdictSeries(runs: readonly TrendRun[]): ScatterSeriesOption {
  return {
    type: 'scatter',
    xAxisIndex: 0,
    yAxisIndex: 0,
    symbolSize: 16,
    data: runs.map(({ verdict }, index) => {
      const { symbol, color } = verdictMarks[verdict];
      return { value: [index, 1], symbol, itemStyle: { color } };
    }),
  };
}

/** A run that is worse than those before it has a larger, filled mark. */
function lineSeries(
  runs: readonly TrendRun[],
  { id, name, line, grid }: { id: SloId; name: string; line: number; grid: number },
): LineSeriesOption {
  const color = lineColors[line] ?? 'var(--line-third)';
  return {
    type: 'line',
    name,
    xAxisIndex: grid,
    yAxisIndex: grid,
    connectNulls: false,
    symbol: 'emptyCircle',
    lineStyle: { color, width: 2, type: dashes[line] ?? 'dotted' },
    itemStyle: { color },
    data: runs.map(({ figures, worse }) => {
      const value = figures[id];
      const isWorse = worse.some((one) => one.id === id);
      return {
        value: value === undefined ? '-' : value / 1_000,
        ...(isWorse
          ? { symbol: 'triangle', symbolSize: 14, itemStyle: { color: 'var(--bad)' } }
          : { symbolSize: 6 }),
      };
    }),
  };
}
