import type { StartedLiveness } from '../experiment/result.ts';
import { type StreamSeries, seriesStepMs } from '../experiment/series.ts';
import type { TimeSpan } from '../experiment/spans.ts';
import type { FaultWindows } from '../experiment/stream-report.ts';
import type { KubernetesPort } from '../kubernetes/port.ts';
import { joinSeries } from '../liveness/join-series.ts';
import type { SideReport } from '../liveness/series.ts';
import { addTo, type Spread, summaryOf } from '../liveness/spread.ts';
import { sideReport } from './liveness-http.ts';
import { firstKillMs } from './start-liveness.ts';

/** The stream over time, and what it was like while faults could be felt. */
export interface StreamOverTime {
  series?: StreamSeries;
  faultWindows?: FaultWindows;
}

/**
 * Asks both containers for their record by the second. A container that has ended took its record along: its side is then not
 * observed. Spans are of the worker's clock, `startedAt` is of the pod's, which is `skewMs` ahead.
 */
export async function streamOverTime(
  kubernetes: KubernetesPort,
  liveness: StartedLiveness,
  { spans, startedAt, skewMs }: { spans: TimeSpan[]; startedAt: number; skewMs: number },
): Promise<StreamOverTime> {
  const request = {
    stepMs: seriesStepMs(Date.now() + skewMs - startedAt),
    spans: spans.map(({ from, to }) => ({ from: from + skewMs, to: to + skewMs })),
    since: liveness.steadyAt - firstKillMs + skewMs,
  };
  const [producer, consumer] = await Promise.all([
    sideReport(kubernetes, liveness, 'producer', request),
    sideReport(kubernetes, liveness, 'consumer', request),
  ]);
  const series = joinSeries(producer, consumer, skewMs);
  if (!series) return {};
  // A container of an earlier image tells a summary, to which nothing can be added.
  const unsent = consumer?.latencies ? producer?.unsent : undefined;
  const unsentRecords = [...(unsent?.inside ?? []), ...(unsent?.outside ?? [])].reduce(
    (sum, [, records]) => sum + records,
    0,
  );
  return {
    series,
    faultWindows: {
      count: spans.length,
      totalMs: Math.round(spans.reduce((sum, { from, to }) => sum + to - from, 0)),
      ...latencyOf('inside', consumer, unsent),
      ...latencyOf('outside', consumer, unsent),
      ...(unsentRecords > 0 ? { unsent: unsentRecords } : {}),
      ...(producer?.dipPercent === undefined ? {} : { throughputDipPercent: producer.dipPercent }),
    },
  };
}

/**
 * Of the records that were read, and of those that could not be sent with what they waited: else an outage would be as short as the
 * waits of the records that came through it.
 */
function latencyOf(
  where: 'inside' | 'outside',
  consumer: SideReport | undefined,
  unsent: SideReport['unsent'],
): Partial<FaultWindows> {
  if (!consumer) return {};
  const { latencies } = consumer;
  if (!latencies) return consumer[where].count > 0 ? { [where]: consumer[where] } : {};
  const all: Spread = new Map(latencies[where]);
  for (const [ms, records] of unsent?.[where] ?? []) addTo(all)(ms, records);
  const { min: _, ...latency } = summaryOf(all);
  return latency.count > 0 ? { [where]: latency } : {};
}
