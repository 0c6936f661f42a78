import type { CustomSeriesOption, ScatterSeriesOption } from 'echarts/charts';
import { clock, duration } from '../format.ts';
import { barKindsIn, barStyles, markKindsIn, markStyles } from '../legend.ts';
import type { Palette } from '../palette.ts';
import type { BarKind, Chart, MarkKind } from '../timeline-chart.ts';
import type { Panel } from './panel.ts';

type RenderItem = NonNullable<CustomSeriesOption['renderItem']>;

const laneHeight = 34;

/** The stream and each broker of the partition as bands, with the marks of what each kill did. */
export function lanesPanel(chart: Chart, palette: Palette): Panel {
  return {
    title: 'Brokers of the partition',
    height: chart.lanes.length * laneHeight,
    yAxis: { type: 'category', data: chart.lanes, inverse: true, axisTick: { show: false } },
    series: [
      ...barKindsIn(chart).map((kind) => bars(kind, chart, palette)),
      ...markKindsIn(chart).map((kind) => marks(kind, chart, palette)),
    ],
    legend: [],
    tooltip: 'item',
  };
}

function bars(kind: BarKind, { bars: all, lanes, zero }: Chart, palette: Palette): CustomSeriesOption {
  const { name, tall } = barStyles[kind];
  const color = palette.bars[kind];
  const shown = all.filter((bar) => bar.kind === kind);
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
    clip: true,
    encode: { x: [1, 2], y: 0 },
    data: shown.map(({ lane, from, to }) => [lane, zero + from * 1_000, zero + to * 1_000]),
    tooltip: {
      formatter: ({ dataIndex }: { dataIndex: number }) => {
        const { lane, from, to } = shown[dataIndex] ?? { lane: 0, from: 0, to: 0 };
        const start = clock(zero + from * 1_000);
        return `${lanes[lane]}: ${name}<br>${start} for ${duration((to - from) * 1_000)}`;
      },
    },
  };
}

function marks(
  kind: MarkKind,
  { marks: all, lanes, kills, zero }: Chart,
  palette: Palette,
): ScatterSeriesOption {
  const { name, path } = markStyles[kind];
  const shown = all.filter((mark) => mark.kind === kind);
  return {
    type: 'scatter',
    name,
    symbol: `path://${path}`,
    symbolSize: 13,
    itemStyle: { color: palette.marks[kind], borderColor: palette.ground, borderWidth: 1.5, opacity: 1 },
    z: 6,
    data: shown.map(({ lane, at }) => [zero + at * 1_000, lane]),
    tooltip: {
      formatter: ({ dataIndex }: { dataIndex: number }) => {
        const mark = shown[dataIndex];
        if (!mark) return '';
        const killedAt = kills.find(({ index }) => index === mark.kill)?.at ?? mark.at;
        const after = duration((mark.at - killedAt) * 1_000);
        return `${lanes[mark.lane]}: ${name}<br>${clock(zero + mark.at * 1_000)}, ${after} after kill ${mark.kill + 1}`;
      },
    },
  };
}
