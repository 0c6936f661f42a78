import type { ChaosResult } from '../../experiment/result.ts';
import type { Palette } from '../palette.ts';
import { type Chart, chartOf } from '../timeline-chart.ts';
import { killLines, killsPanel } from './kills-panel.ts';
import { lanesPanel } from './lanes-panel.ts';
import type { Option, Panel } from './panel.ts';
import { streamPanels } from './stream-panels.ts';

/** The picture of a run, ready to be drawn, and the height that it needs, px. */
export interface TimelineOption {
  option: Option;
  height: number;
}

const left = 84;
const right = 24;
/** Over each panel with a title: that and its legend. */
const titleRow = 30;
const gap = 10;
/** Below the last panel: labels of the axis, then the slider of the zoom. */
const axisRow = 40;
const sliderRow = 30;
const font = 'system-ui, Segoe UI, DejaVu Sans, sans-serif';

/** Throughput, latencies and brokers on one axis of time; undefined where a run ended before its first deadline. */
export function timelineOption(result: ChaosResult, palette: Palette): TimelineOption | undefined {
  const chart = chartOf(result);
  if (!chart) return undefined;
  const panels = [killsPanel(chart, palette), ...streamPanels(result, palette), lanesPanel(chart, palette)];
  const tops = topsOf(panels);
  const bottom = (tops.at(-1) ?? 0) + (panels.at(-1)?.height ?? 0);
  return {
    height: bottom + axisRow + sliderRow,
    option: {
      animation: false,
      useUTC: true,
      backgroundColor: palette.ground,
      textStyle: { fontFamily: font, color: palette.ink },
      title: panels.map(({ title }, index) => ({
        text: title,
        left: 0,
        top: (tops[index] ?? 0) - titleRow + 6,
        padding: 0,
        textStyle: { fontSize: 13, fontWeight: 'bold', color: palette.ink },
      })),
      legend: panels.flatMap((panel, index) => legendOf(panel, (tops[index] ?? 0) - titleRow, palette)),
      grid: panels.map(({ height, tooltip }, index) => ({
        left,
        right,
        top: tops[index],
        height,
        tooltip: { trigger: tooltip },
      })),
      xAxis: panels.map((_, index) => timeAxis(chart, index, panels, palette)),
      yAxis: panels.map(({ yAxis }, index) => valueAxis(yAxis, index, palette)),
      series: panels.flatMap(({ title, series }, index) =>
        [...series, ...(title ? [killLines(chart, palette)] : [])].map((one) => ({
          ...one,
          xAxisIndex: index,
          yAxisIndex: index,
        })),
      ),
      axisPointer: { link: [{ xAxisIndex: 'all' }], lineStyle: { color: palette.faint } },
      tooltip: {
        confine: true,
        backgroundColor: palette.panel,
        borderColor: palette.line,
        textStyle: { color: palette.ink, fontSize: 12 },
      },
      dataZoom: zooms(bottom + axisRow, palette),
    },
  };
}

function topsOf(panels: Panel[]): number[] {
  const tops: number[] = [];
  let below = 0;
  for (const { title, height } of panels) {
    const top = below + (title ? titleRow : 0);
    tops.push(top);
    below = top + height + gap;
  }
  return tops;
}

function legendOf({ title, legend }: Panel, top: number, { ink, faint }: Palette) {
  if (legend.length === 0) return [];
  return [
    {
      type: 'scroll' as const,
      data: legend,
      top,
      // Behind the title, whose letters are 8 px wide.
      left: 8 * title.length + 12,
      right,
      itemWidth: 18,
      // The line alone: points are not drawn in the chart either.
      itemStyle: { opacity: 0 },
      itemGap: 10,
      textStyle: { color: ink, fontSize: 12 },
      inactiveColor: faint,
    },
  ];
}

function timeAxis({ zero, from, to }: Chart, index: number, panels: Panel[], { line, faint }: Palette) {
  const last = index === panels.length - 1;
  const titled = panels[index]?.title !== '';
  return {
    type: 'time' as const,
    gridIndex: index,
    min: zero + from * 1_000,
    max: zero + to * 1_000,
    axisLabel: { show: last, color: faint, hideOverlap: true, formatter: ticks },
    axisLine: { show: titled, lineStyle: { color: line } },
    axisTick: { show: last },
    splitLine: { show: titled, lineStyle: { color: line, opacity: 0.5 } },
  };
}

/** What is out of sight does not count for the height of an axis; a bar that reaches into sight is kept. */
const filterMode = 'weakFilter';

/** From days down to milliseconds, as far as one zooms. */
const ticks = {
  year: '{yyyy}',
  month: '{MMM}',
  day: '{d} {MMM}',
  hour: '{HH}:{mm}',
  minute: '{HH}:{mm}',
  second: '{HH}:{mm}:{ss}',
  millisecond: '{ss}.{SSS}',
};

function valueAxis(axis: Panel['yAxis'], index: number, { line, ink, faint }: Palette): Panel['yAxis'] {
  const axisLabel = { color: axis.type === 'category' ? ink : faint, ...axis.axisLabel };
  return {
    ...axis,
    gridIndex: index,
    axisLabel,
    axisLine: { show: false },
    splitLine: { show: axis.type !== 'category', lineStyle: { color: line } },
  } as Panel['yAxis'];
}

function zooms(top: number, { ink, faint, line, link, panel }: Palette): NonNullable<Option['dataZoom']> {
  return [
    {
      type: 'slider',
      xAxisIndex: 'all',
      filterMode,
      top,
      left,
      right,
      height: 20,
      showDetail: false,
      backgroundColor: panel,
      borderColor: line,
      fillerColor: `${link}33`,
      handleStyle: { color: ink, borderColor: faint },
      moveHandleStyle: { color: faint },
      dataBackground: { lineStyle: { opacity: 0 }, areaStyle: { opacity: 0 } },
      selectedDataBackground: { lineStyle: { opacity: 0 }, areaStyle: { opacity: 0 } },
    },
    // The wheel alone scrolls the page.
    {
      type: 'inside',
      xAxisIndex: 'all',
      filterMode,
      zoomOnMouseWheel: 'ctrl',
      moveOnMouseWheel: false,
    },
  ];
}
