import type { StartedLiveness } from '../experiment/result.ts';
import { detailColumns, type StreamSeries, seriesStepMs } from '../experiment/series.ts';
import type { KubernetesPort } from '../kubernetes/port.ts';
import { joinSeries } from '../liveness/join-series.ts';
import { changesOf } from './changes-of.ts';
import type { Activities } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { observerReport, sideReport } from './liveness-http.ts';
import { runStep } from './step.ts';

/** Takes over what the pod recorded of one stretch of a long run, so that its history holds more than the run as a whole. */
export function makeTakePart({ kubernetes }: ActivityDependencies): Activities['takePart'] {
  return ({ liveness, from, to }) =>
    runStep('kill', async () => {
      const observer = await observerReport(kubernetes, liveness, 0);
      const skewMs = observer?.aheadMs;
      // Without the clocks' difference nothing would stand where it belongs.
      if (!observer || skewMs === undefined) return {};
      const series = await seriesOf(kubernetes, liveness, { from, to, skewMs });
      return {
        until: to,
        ...(series ? { series } : {}),
        changes: changesOf(observer, skewMs, { from, to }),
      };
    });
}

async function seriesOf(
  kubernetes: KubernetesPort,
  liveness: StartedLiveness,
  { from, to, skewMs }: { from: number; to: number; skewMs: number },
): Promise<StreamSeries | undefined> {
  const request = {
    ...{ stepMs: seriesStepMs(to - from), spans: [], since: 0 },
    ...{ from: Math.round(from + skewMs), to: Math.round(to + skewMs) },
  };
  const [producer, consumer] = await Promise.all([
    sideReport(kubernetes, liveness, 'producer', request),
    sideReport(kubernetes, liveness, 'consumer', request),
  ]);
  const series = joinSeries(producer, consumer, skewMs);
  if (!series) return undefined;
  const columns: StreamSeries['columns'] = {};
  for (const name of detailColumns) {
    const column = series.columns[name];
    if (column) columns[name] = column;
  }
  return { ...series, columns };
}
