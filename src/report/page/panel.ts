import type { CustomSeriesOption, LineSeriesOption, ScatterSeriesOption } from 'echarts/charts';
import type {
  DataZoomComponentOption,
  GridComponentOption,
  LegendComponentOption,
  TitleComponentOption,
  TooltipComponentOption,
} from 'echarts/components';
import type { ComposeOption } from 'echarts/core';

/** All that the picture is drawn with. */
export type Option = ComposeOption<
  | CustomSeriesOption
  | DataZoomComponentOption
  | GridComponentOption
  | LegendComponentOption
  | LineSeriesOption
  | ScatterSeriesOption
  | TitleComponentOption
  | TooltipComponentOption
>;

/** A series of a panel. */
export type Series = CustomSeriesOption | LineSeriesOption | ScatterSeriesOption;

/** A strip of the picture with an axis of its own; all panels share the axis of time, epoch ms. */
export interface Panel {
  title: string;
  /** Pixels of the plot. */
  height: number;
  yAxis: Exclude<Option['yAxis'], unknown[] | undefined>;
  series: Series[];
  /** Names of series that can be switched on and off. */
  legend: string[];
  /** What a pointer is told of: all lines at a moment, or the one item it is on. */
  tooltip: 'axis' | 'item';
}
