import { partitionOf } from '../experiment/outage.ts';
import type { ProducerOutage } from '../experiment/stream-figures.ts';
import type { StreamReport } from '../experiment/stream-report.ts';
import type { ObserverReport } from './protocol.ts';
import { type Keeping, stuckTime } from './stuck-producer.ts';

/**
 * What of the clients' outages was theirs and what the cluster's, by the observer beside them: it runs in the same pod, so one clock
 * holds. All times are given by the worker's clock, which is `skewMs` behind the pod's. An observer of an older image tells less.
 */
export function besideObserver(
  stream: StreamReport,
  observer: ObserverReport | undefined,
  { skewMs, minInsyncReplicas }: { skewMs: number; minInsyncReplicas: number },
): Pick<StreamReport, 'longestSilenceAt' | 'silence' | 'producerOutages' | 'metadata' | 'directReader'> {
  const workers = (at: number) => Math.round(at - skewMs);
  const stamp = (at: string) => new Date(workers(Date.parse(at))).toISOString();
  const { longestSilenceAt, silence, producerOutages, directReader } = stream;
  const { metadata } = observer ?? {};
  const keeping: Keeping = {
    ...{ acks: stream.delivery?.acks, minInsyncReplicas },
    shrinks: metadata?.shrinks,
  };
  return {
    ...(longestSilenceAt === undefined ? {} : { longestSilenceAt: stamp(longestSilenceAt) }),
    ...(silence ? { silence: { ...silence, at: stamp(silence.at) } } : {}),
    ...(producerOutages
      ? {
          producerOutages: producerOutages
            .map((outage) => shareOf(outage, observer))
            .map((outage) => withStuck(outage, keeping))
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
  const { partitions = 1 } = observer?.partitionOutages ?? {};
  const probed =
    outage.partition < partitions
      ? observer?.outages?.filter((one) => partitionOf(one) === outage.partition)
      : undefined;
  return {
    ...outage,
    ...(known && !outage.open
      ? { leaderKnownAt: known.at, clientRecoveryMs: Math.round(end - known.at) }
      : {}),
    ...(probed ? { servedMs: Math.max(0, Math.round(outage.ms - overlap(probed, outage.at, end))) } : {}),
  };
}

function withStuck(outage: ProducerOutage, keeping: Keeping): ProducerOutage {
  const stuckMs = stuckTime(outage, keeping);
  return stuckMs === undefined ? outage : { ...outage, stuckMs };
}

/** How much of a span outages cover; those of one partition never overlap. */
function overlap(outages: { at: number; ms: number }[], from: number, to: number): number {
  return outages.reduce(
    (sum, { at, ms }) => sum + Math.max(0, Math.min(to, at + ms) - Math.max(from, at)),
    0,
  );
}
