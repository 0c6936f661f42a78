import type { StreamReport } from '../experiment/result.ts';
import type { ProducerOutage } from '../experiment/stream-figures.ts';
import type { ObserverReport } from './protocol.ts';

/** The one whose leader the observer probes. */
const probedPartition = 0;

/**
 * What of the clients' outages was theirs and what the cluster's, by the observer beside them: it runs in the same pod, so one clock
 * holds. All times are given by the worker's clock, which is `skewMs` behind the pod's. An observer of an older image tells less.
 */
export function besideObserver(
  stream: StreamReport,
  observer: ObserverReport | undefined,
  skewMs: number,
): Pick<StreamReport, 'producerOutages' | 'metadata' | 'directReader'> {
  const workers = (at: number) => Math.round(at - skewMs);
  const { producerOutages, directReader } = stream;
  const { metadata } = observer ?? {};
  return {
    ...(producerOutages
      ? {
          producerOutages: producerOutages
            .map((outage) => shareOf(outage, observer))
            .map(({ at, leaderKnownAt, ...others }) => ({
              ...others,
              at: workers(at),
              ...(leaderKnownAt === undefined ? {} : { leaderKnownAt: workers(leaderKnownAt) }),
            })),
        }
      : {}),
    ...(metadata
      ? {
          metadata: {
            ...metadata,
            shrinks: metadata.shrinks.map(({ at, fullAt, ...others }) => ({
              ...others,
              at: workers(at),
              ...(fullAt === undefined ? {} : { fullAt: workers(fullAt) }),
            })),
          },
        }
      : {}),
    ...(directReader?.longestSilenceAt === undefined
      ? {}
      : { directReader: { ...directReader, longestSilenceAt: workers(directReader.longestSilenceAt) } }),
  };
}

function shareOf(outage: ProducerOutage, observer: ObserverReport | undefined): ProducerOutage {
  const end = outage.at + outage.ms;
  const known = observer?.leaders?.findLast(
    ({ partition, at, leader }) =>
      partition === outage.partition && leader >= 0 && at > outage.at && at <= end,
  );
  const probed = outage.partition === probedPartition ? observer?.outages : undefined;
  return {
    ...outage,
    ...(known && !outage.open
      ? { leaderKnownAt: known.at, clientRecoveryMs: Math.round(end - known.at) }
      : {}),
    ...(probed ? { servedMs: Math.max(0, Math.round(outage.ms - overlap(probed, outage.at, end))) } : {}),
  };
}

/** How much of a span outages cover; those of one partition never overlap. */
function overlap(outages: { at: number; ms: number }[], from: number, to: number): number {
  return outages.reduce(
    (sum, { at, ms }) => sum + Math.max(0, Math.min(to, at + ms) - Math.max(from, at)),
    0,
  );
}
