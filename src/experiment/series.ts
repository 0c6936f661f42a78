/** What one point of the stream's time series says; times in ms, null where nothing was there to be measured. */
export interface SeriesPoint {
  /** Start of the point, epoch ms, worker's clock; it lasts the series' `stepMs`. */
  at: number;
  /** Records a second: the mean over the point. */
  sent: number;
  acked: number;
  received: number;
  /** The slowest and the fastest single second in the point; where a point is one second, that second. */
  ackedMin: number;
  ackedMax: number;
  receivedMin: number;
  receivedMax: number;
  /** Send to ack, of the records that were due in the point, whenever the ack came. */
  ackMin: number | null;
  ackP50: number | null;
  ackP99: number | null;
  ackMax: number | null;
  /** Send to receive, of the records that were due in the point. */
  receiveMin: number | null;
  receiveP50: number | null;
  receiveP99: number | null;
  receiveMax: number | null;
}

/** Names of a series' columns. */
export const seriesColumns = [
  'sent',
  'acked',
  'received',
  'ackedMin',
  'ackedMax',
  'receivedMin',
  'receivedMax',
  'ackMin',
  'ackP50',
  'ackP99',
  'ackMax',
  'receiveMin',
  'receiveP50',
  'receiveP99',
  'receiveMax',
] as const satisfies Exclude<keyof SeriesPoint, 'at'>[];

/** Columns of a series of one stretch of a long run: those that a picture draws, and the slowest second received. */
export const detailColumns = [
  'sent',
  'acked',
  'received',
  'ackedMin',
  'receivedMin',
  'ackP50',
  'ackP99',
  'ackMax',
  'receiveMax',
] as const satisfies SeriesColumn[];

/** One of a series' columns. */
export type SeriesColumn = (typeof seriesColumns)[number];

/**
 * The stream over time, by columns so that it is small: below 64 KiB however long the run was. Steps are whole seconds; a step of
 * several seconds keeps its slowest and fastest second and its longest latency, so no extreme is lost.
 */
export interface StreamSeries {
  /** Start of the first point, epoch ms, worker's clock. */
  from: number;
  stepMs: number;
  /** A side of the stream that was not observed has no columns; a step of one second has no Min and Max of rates. */
  columns: Partial<Record<SeriesColumn, (number | null)[]>>;
}

/** Most points of a series: with all columns that is some 40 KiB of JSON. */
export const maxSeriesPoints = 480;

/** The step, whole seconds in ms, by which a span fits a series. */
export function seriesStepMs(spanMs: number): number {
  return Math.max(1, Math.ceil(spanMs / 1_000 / (maxSeriesPoints - 2))) * 1_000;
}

/** A series as points, oldest first. Rates that were not observed are 0, latencies null. */
export function pointsOf({ from, stepMs, columns }: StreamSeries): SeriesPoint[] {
  const length = Math.max(0, ...Object.values(columns).map((column) => column.length));
  return Array.from({ length }, (_, index) => {
    const rate = (name: SeriesColumn) => columns[name]?.[index] ?? 0;
    const latency = (name: SeriesColumn) => columns[name]?.[index] ?? null;
    const extreme = (name: SeriesColumn, mean: SeriesColumn) => columns[name]?.[index] ?? rate(mean);
    return {
      at: from + index * stepMs,
      sent: rate('sent'),
      acked: rate('acked'),
      received: rate('received'),
      ackedMin: extreme('ackedMin', 'acked'),
      ackedMax: extreme('ackedMax', 'acked'),
      receivedMin: extreme('receivedMin', 'received'),
      receivedMax: extreme('receivedMax', 'received'),
      ackMin: latency('ackMin'),
      ackP50: latency('ackP50'),
      ackP99: latency('ackP99'),
      ackMax: latency('ackMax'),
      receiveMin: latency('receiveMin'),
      receiveP50: latency('receiveP50'),
      receiveP99: latency('receiveP99'),
      receiveMax: latency('receiveMax'),
    };
  });
}
