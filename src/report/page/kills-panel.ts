import type { CustomSeriesOption } from 'echarts/charts';
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
          minMargin: 10,
        },
        labelLayout: { hideOverlap: true },
        data: kills.map(({ at }) => [zero + at * 1_000, 0]),
      },
    ],
    legend: [],
    tooltip: 'item',
  };
}

/** Lines of more kills than this in sight would hide what they run through. */
const mostLines = 100;

/** A line through one panel at each kill, unless too many are in sight. */
export function killLines({ kills, zero }: Chart, { marks }: Palette): CustomSeriesOption {
  return {
    type: 'custom',
    name: 'requests to kill',
    silent: true,
    encode: { x: 0 },
    data: kills.map(({ at }) => [zero + at * 1_000]),
    z: 5,
    renderItem: (params, api) => {
      if (params.dataInsideLength > mostLines) return null;
      const [x = 0] = api.coord([api.value(0), 1]);
      const { y, height } = params.coordSys as unknown as { y: number; height: number };
      return {
        type: 'line',
        shape: { x1: x, x2: x, y1: y, y2: y + height },
        style: { stroke: marks.kill, lineWidth: 1, lineDash: [3, 3] },
      };
    },
    clip: true,
  };
}
