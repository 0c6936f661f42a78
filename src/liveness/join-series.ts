import type { SeriesColumn, StreamSeries } from '../experiment/series.ts';
import type { SideReport } from './series.ts';

/** Both sides as one series on the worker's clock; each side as far as it was observed. */
export function joinSeries(
  producer: SideReport | undefined,
  consumer: SideReport | undefined,
  skewMs: number,
): StreamSeries | undefined {
  const sides = [producer, consumer].filter((side) => side !== undefined);
  if (sides.length === 0) return undefined;
  const stepMs = Math.max(...sides.map((side) => side.stepMs));
  const from = Math.min(...sides.map((side) => side.from));
  const columns: StreamSeries['columns'] = {};
  const put = (
    side: SideReport,
    names: Partial<Record<SeriesColumn, (number | null)[]>>,
    missing: 0 | null,
  ) => {
    const lead = new Array<0 | null>((side.from - from) / stepMs).fill(missing);
    for (const [name, values] of Object.entries(names)) columns[name as SeriesColumn] = [...lead, ...values];
  };
  const wide = stepMs > 1_000;
  if (producer) {
    const { sent, done, doneMin, doneMax, min, p50, p99, max } = producer;
    put(producer, { sent, acked: done, ...(wide ? { ackedMin: doneMin, ackedMax: doneMax } : {}) }, 0);
    put(producer, { ackMin: min, ackP50: p50, ackP99: p99, ackMax: max }, null);
  }
  if (consumer) {
    const { done, doneMin, doneMax, min, p50, p99, max } = consumer;
    put(consumer, { received: done, ...(wide ? { receivedMin: doneMin, receivedMax: doneMax } : {}) }, 0);
    put(consumer, { receiveMin: min, receiveP50: p50, receiveP99: p99, receiveMax: max }, null);
  }
  return { from: Math.round(from - skewMs), stepMs, columns };
}
