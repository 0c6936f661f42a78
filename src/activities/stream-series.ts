import type { FaultWindows, Latency, StartedLiveness } from '../experiment/result.ts';
import { type StreamSeries, seriesStepMs } from '../experiment/series.ts';
import type { TimeSpan } from '../experiment/spans.ts';
import type { KubernetesPort } from '../kubernetes/port.ts';
import { throughputDip } from '../liveness/fault-windows.ts';
import { joinSeries } from '../liveness/join-series.ts';
import type { SideReport } from '../liveness/series.ts';
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
  const dip = throughputDip(series, spans);
  return {
    series,
    faultWindows: {
      count: spans.length,
      totalMs: Math.round(spans.reduce((sum, { from, to }) => sum + to - from, 0)),
      ...latencyOf('inside', consumer),
      ...latencyOf('outside', consumer),
      ...(dip === undefined ? {} : { throughputDipPercent: dip }),
    },
  };
}

function latencyOf(where: 'inside' | 'outside', side: SideReport | undefined): Partial<FaultWindows> {
  const latency: Latency | undefined = side?.[where];
  return latency && latency.count > 0 ? { [where]: latency } : {};
}
