import { abortsOn, type BrokenSlo, brokenOf } from '../experiment/abort-on.ts';
import { streamFigureIds } from '../experiment/abort-on-ids.ts';
import type { StartedLiveness } from '../experiment/result.ts';
import type { ResolvedExperiment } from '../experiment/spec.ts';
import type { KubernetesPort } from '../kubernetes/port.ts';
import type { ConsumerReport, ProducerReport } from '../liveness/protocol.ts';
import { consumerReport, producerReport } from './liveness-http.ts';

/** A healthy pod answers in some ten; who waits longer tells nothing in time. ms */
const patienceMs = 1_000;

/**
 * Asks the stream's pod once for the figures of `abortOn`, which it tells as the worst so far: no look that was missed is one that
 * is lost. `kills`: as `sloLimits` takes them. 'unseen' where a side that is needed does not answer; nobody is asked where `abortOn`
 * names no such figure.
 */
export async function brokenSlo(
  kubernetes: KubernetesPort,
  liveness: StartedLiveness,
  experiment: ResolvedExperiment,
  kills?: number,
): Promise<BrokenSlo | 'unseen' | undefined> {
  if (!abortsOn(experiment, streamFigureIds)) return undefined;
  const askedAt = Date.now();
  const [producer, consumer] = await Promise.all([
    producerReport(kubernetes, liveness, patienceMs),
    consumerReport(kubernetes, liveness, patienceMs),
  ]);
  const observedAt = Math.round((askedAt + Date.now()) / 2);
  const figures = { ...producedOf(producer), ...consumedOf(consumer) };
  const broken = brokenOf(experiment, figures, observedAt, kills);
  if (broken) return broken;
  const blind =
    (!producer && abortsOn(experiment, ['producer-outage-max', 'producer-outage-total'])) ||
    (!consumer && abortsOn(experiment, ['consumer-silence', 'duplicates']));
  return blind ? 'unseen' : undefined;
}

function producedOf(report: ProducerReport | undefined) {
  return {
    'producer-outage-max': report?.outages?.maxMs ?? report?.longestAckGapMs,
    'producer-outage-total': report?.outages?.totalMs,
  };
}

/** A silence in which the reader beside the consumer was served is the client's own, here as in the verdict. */
function consumedOf(report: ConsumerReport | undefined) {
  if (!report) return {};
  const { longestSilenceMs, direct, ledger } = report;
  const stuck = direct && direct.stuckEvidence.length > 0;
  return {
    'consumer-silence': stuck ? Math.min(longestSilenceMs, direct.longestSilenceMs) : longestSilenceMs,
    duplicates: ledger?.anomalies.find(({ kind }) => kind === 'duplicated')?.count,
  };
}
