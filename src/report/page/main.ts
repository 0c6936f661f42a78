import { CustomChart, LineChart, ScatterChart } from 'echarts/charts';
import {
  AxisPointerComponent,
  DataZoomComponent,
  GridComponent,
  LegendComponent,
  LegendScrollComponent,
  TitleComponent,
  TooltipComponent,
} from 'echarts/components';
import { init, use } from 'echarts/core';
import { LabelLayout } from 'echarts/features';
import { SVGRenderer } from 'echarts/renderers';
import type { ChaosResult } from '../../experiment/result.ts';
import { dark, light } from '../palette.ts';
import { timelineOption } from './timeline-option.ts';

use([
  AxisPointerComponent,
  CustomChart,
  DataZoomComponent,
  GridComponent,
  LabelLayout,
  LegendComponent,
  LegendScrollComponent,
  LineChart,
  ScatterChart,
  SVGRenderer,
  TitleComponent,
  TooltipComponent,
]);

/** Draws the timeline of the page that it is part of, from the result that the page holds. */
const result = JSON.parse(document.querySelector('#result')?.textContent ?? '') as ChaosResult;
const place = document.querySelector<HTMLElement>('#timeline');
if (place) draw(place);

function draw(place: HTMLElement): void {
  const darkness = matchMedia('(prefers-color-scheme: dark)');
  const optionNow = () => timelineOption(result, darkness.matches ? dark : light);
  const timeline = optionNow();
  if (!timeline) return;
  place.replaceChildren();
  place.style.height = `${timeline.height}px`;
  const chart = init(place, null, { renderer: 'svg' });
  chart.setOption(timeline.option);
  darkness.addEventListener('change', () => {
    const now = optionNow();
    if (now) chart.setOption(now.option);
  });
  new ResizeObserver(() => {
    // A page that is hidden or printed may have no width for a moment.
    if (place.clientWidth > 0) chart.resize();
  }).observe(place);
  for (const button of document.querySelectorAll<HTMLElement>('button[data-from]')) {
    button.hidden = false;
    button.addEventListener('click', () => {
      const { from, to } = button.dataset;
      chart.dispatchAction({ type: 'dataZoom', startValue: Number(from), endValue: Number(to) });
    });
  }
}
