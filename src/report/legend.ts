import type { BarKind, Chart, MarkKind } from './timeline-chart.ts';

/** How each bar is called, and how tall it is in its lane, px: states are told apart by height as well as by colour. */
export const barStyles: Record<BarKind, { name: string; tall: number }> = {
  stream: { name: 'stream', tall: 12 },
  silence: { name: 'longest silence', tall: 20 },
  'no-ack': { name: 'no ack for the producer', tall: 12 },
  outage: { name: 'no broker served the partition', tall: 16 },
  leader: { name: 'leader', tall: 20 },
  'in-sync': { name: 'in sync', tall: 10 },
  stopping: { name: 'shutting down', tall: 14 },
  'out-of-sync': { name: 'out of sync', tall: 3 },
};

/** How each mark is called, and its shape as an SVG path in a box of 16 by 16. */
export const markStyles: Record<MarkKind, { name: string; path: string }> = {
  death: {
    name: 'death of the process',
    path: 'M3 1 L8 6 L13 1 L15 3 L10 8 L15 13 L13 15 L8 10 L3 15 L1 13 L6 8 L1 3 Z',
  },
  'new-leader': { name: 'new leader', path: 'M8 1 L15 15 L1 15 Z' },
  'full-isr': {
    name: 'all replicas in sync',
    path: 'M8 1 A7 7 0 1 1 7.99 1 Z',
  },
};

/** Kinds of bars that a chart holds, in the order of the legend. */
export function barKindsIn({ bars }: Chart): BarKind[] {
  return (Object.keys(barStyles) as BarKind[]).filter((kind) => bars.some((bar) => bar.kind === kind));
}

/** Kinds of marks that a chart holds, in the order of the legend. */
export function markKindsIn({ marks }: Chart): MarkKind[] {
  return (Object.keys(markStyles) as MarkKind[]).filter((kind) => marks.some((mark) => mark.kind === kind));
}
