import type { BarKind, MarkKind } from './timeline-chart.ts';

/**
 * Colours by what they mean. Those of data come from the palette of Okabe and Ito, made for every kind of colour vision, darkened or
 * lightened until each stands out from its ground by 3:1 and text by 4.5:1. No meaning rests on colour alone: shapes, heights and
 * dashes tell the same.
 */
export interface Palette {
  ground: string;
  panel: string;
  line: string;
  ink: string;
  faint: string;
  link: string;
  good: string;
  bad: string;
  warn: string;
  bars: Record<BarKind, string>;
  marks: Record<MarkKind | 'kill', string>;
  /** Lines of charts, the calm one first. */
  lines: { calm: string; first: string; second: string; third: string };
}

/** On white. */
export const light: Palette = {
  ground: '#ffffff',
  panel: '#f6f8fa',
  line: '#d1d9e0',
  ink: '#1f2328',
  faint: '#59636e',
  link: '#005a9e',
  good: '#00694b',
  bad: '#b3283d',
  warn: '#7d5600',
  bars: {
    stream: '#3b9c80',
    silence: '#c2364a',
    'no-ack': '#a8500b',
    outage: '#8a2f78',
    leader: '#1f4e8c',
    'in-sync': '#5595d0',
    stopping: '#c77700',
    'out-of-sync': '#8a8178',
  },
  marks: { kill: '#1f2328', death: '#b3283d', 'new-leader': '#1f4e8c', 'full-isr': '#00694b' },
  lines: { calm: '#77808a', first: '#0067a5', second: '#b25000', third: '#a23b79' },
};

/** On near black. */
export const dark: Palette = {
  ground: '#0d1117',
  panel: '#151b23',
  line: '#3d444d',
  ink: '#e6edf3',
  faint: '#9da7b1',
  link: '#6cb6ff',
  good: '#4cc2a0',
  bad: '#ff8182',
  warn: '#e3b341',
  bars: {
    stream: '#2f9e7f',
    silence: '#ff6b7a',
    'no-ack': '#f0924a',
    outage: '#e58ec0',
    leader: '#8cc5ff',
    'in-sync': '#3f7fbf',
    stopping: '#e69f00',
    'out-of-sync': '#857c72',
  },
  marks: { kill: '#e6edf3', death: '#ff8182', 'new-leader': '#8cc5ff', 'full-isr': '#4cc2a0' },
  lines: { calm: '#8b949e', first: '#56b4e9', second: '#e69f00', third: '#e58ec0' },
};
