import type { LineSeriesOption } from 'echarts/charts';
import type { Palette } from '../palette.ts';
import type { Chart } from '../timeline-chart.ts';
import type { Panel } from './panel.ts';

/** The names of the kills, over the lines that `killLines` draws through all panels; those without room are left out. */
export function killsPanel({ kills, zero }: Chart, { marks }: Palette): Panel {
  return {
    title: '',
    height: 18,
    yAxis: { type: 'value', min: 0, max: 1, show: false },
    series: [
      {
        type: 'scatter',
        name: 'kills',
        silent: true,
        symbolSize: 1,
        itemStyle: { color: 'transparent' },
        label: {
          show: true,
          formatter: ({ dataIndex }) => `kill ${(kills[dataIndex]?.index ?? 0) + 1}`,
          position: 'top',
          distance: 0,
          color: marks.kill,
          fontWeight: 'bold',
          fontSize: 12,
        },
        labelLayout: { hideOverlap: true },
        data: kills.map(({ at }) => [zero + at * 1_000, 0]),
      },
    ],
    legend: [],
    tooltip: 'item',
  };
}

/** A line through one panel at each kill. */
export function killLines({ kills, zero }: Chart, { marks }: Palette): LineSeriesOption {
  return {
    type: 'line',
    name: 'requests to kill',
    data: [],
    silent: true,
    markLine: {
      silent: true,
      symbol: 'none',
      animation: false,
      lineStyle: { color: marks.kill, type: [3, 3], width: 1 },
      label: { show: false },
      data: kills.map(({ at }) => ({ xAxis: zero + at * 1_000 })),
    },
  };
}
