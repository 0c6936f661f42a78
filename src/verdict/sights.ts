import {
  type Anomaly,
  type AnomalyKind,
  anomalyMeaning,
  exampleText,
  permittedBy,
} from '../experiment/anomalies.ts';
import { killedLeader, killedReplica } from '../experiment/earlier-kills.ts';
import { type KillRecord, wasCarriedOut } from '../experiment/kill-record.ts';
import type { Evidence } from '../experiment/result.ts';
import type { SloId, SloLimit } from '../experiment/slo.ts';
import type { ProducerOutage } from '../experiment/stream-figures.ts';
import type { StreamReport } from '../experiment/stream-report.ts';
import { figure } from './words.ts';

/** What was seen of one figure. */
export interface Sight {
  value?: number;
  /** Why there was nothing that the limit could be about. */
  none?: string;
  /** The value may be more, for not all was seen. */
  atLeast?: boolean;
  /** What made the value larger that is not the cluster's doing: a limit that it keeps is met, one that it exceeds is not told. */
  inflatedBy?: string[];
  /** Why it is not known, or what it means, in sentences. */
  because?: string[];
}

/** What a run's evidence says of one figure. */
export function sightOf(limit: SloLimit, { stream, kills }: Evidence): Sight {
  const { id, unit } = limit;
  const stepped = anomalyOf('clock-step', stream);
  if (unit === 'ms' && stepped) return { because: [anomalyMeaning['clock-step']] };
  switch (id) {
    case 'time-to-new-leader':
      return slowest(
        'leader',
        kills,
        kills.filter(killedLeader).map(({ proof }) => proof?.timeToNewLeaderMs),
      );
    case 'time-to-full-isr':
      return slowest(
        'replica',
        kills,
        kills.filter(killedReplica).map(({ proof }) => proof?.timeToFullIsrMs),
      );
    case 'producer-outage-max':
    case 'producer-outage-total':
      return stream ? ackSight(id, limit.limit, stream) : {};
    default:
      return stream ? streamSight(id, stream) : {};
  }
}

function streamSight(
  id: Exclude<
    SloId,
    'time-to-new-leader' | 'time-to-full-isr' | 'producer-outage-max' | 'producer-outage-total'
  >,
  stream: StreamReport,
): Sight {
  const { faultWindows } = stream;
  switch (id) {
    case 'lost':
      return lostSight(stream);
    case 'duplicates':
      return counted(stream.duplicated, 'duplicated', stream);
    case 'reorders':
      return counted(stream.outOfOrder, 'reordered', stream);
    case 'consumer-silence':
      return silenceSight(stream);
    case 'p99-inside-fault':
      return latencySight('inside', stream);
    case 'p99-outside-fault':
      return latencySight('outside', stream);
    case 'throughput-dip':
      return { value: faultWindows?.throughputDipPercent };
  }
}

function lostSight(stream: StreamReport): Sight {
  const { lost, lostExamples, drained, acked } = stream;
  if (!drained) {
    return { because: ['the closing read did not reach the end of the log, so lost records cannot be told'] };
  }
  if (lost === 0) return { value: 0, because: [`none of ${acked} acknowledged records is lost`] };
  const found = anomalyOf('lost', stream);
  const first = found ? exampleText(found.first) : `index ${lostExamples[0]}`;
  return {
    value: lost,
    because: [`${lost} acknowledged records are lost, the first with ${first}${permission('lost', stream)}`],
  };
}

/** What was counted up to where the log was read. */
function counted(value: number, kind: 'duplicated' | 'reordered', stream: StreamReport): Sight {
  const found = anomalyOf(kind, stream);
  const first = found ? `, the first with ${exampleText(found.first)}` : '';
  const because = value > 0 ? [`${value} records ${kind}${first}${permission(kind, stream)}`] : [];
  return stream.drained ? { value, because } : { value, because, atLeast: true };
}

/** What the settings permit is judged by its limit all the same; the person who set both should know. */
function permission(kind: AnomalyKind, { delivery }: StreamReport): string {
  const permitted = delivery && permittedBy(kind, delivery);
  return permitted ? ` (permitted by the settings: ${permitted})` : '';
}

function anomalyOf(kind: AnomalyKind, stream: StreamReport | undefined): Anomaly | undefined {
  return stream?.anomalies?.find((anomaly) => anomaly.kind === kind && anomaly.count > 0);
}

/**
 * A silence that nobody could look into may be our own client's, and is not known. One in which the reader beside it was served is our
 * client's: then that reader's silence is the cluster's.
 */
function silenceSight({ longestSilenceMs, silence, received, directReader }: StreamReport): Sight {
  if (received === 0 || (silence && silence.confirmed !== 'outage')) return {};
  const because = `the longest silence at the consumer was ${longestSilenceMs} ms`;
  const served = directReader && directReader.stuckEvidence.length > 0 ? directReader : undefined;
  if (!served || served.longestSilenceMs >= longestSilenceMs)
    return { value: longestSilenceMs, because: [because] };
  const { longestSilenceMs: value, stuckEvidence } = served;
  const told = `${because}, but its client was stuck: a reader beside it was silent for ${value} ms at most`;
  return { value, because: [told, ...stuckEvidence] };
}

/** Time without acks. What was the producer's client's alone is not held against the cluster, which may have made the rest. */
function ackSight(
  id: 'producer-outage-max' | 'producer-outage-total',
  limit: number,
  { producerOutage, producerOutages = [], acked, longestAckGapMs }: StreamReport,
): Sight {
  const stuck = producerOutages.filter(({ stuckMs }) => stuckMs !== undefined);
  const worst = stuck.filter(({ partition }) => partition === (producerOutage?.worst ?? partition));
  const stuckMs = worst.reduce((sum, one) => sum + (one.stuckMs ?? 0), 0);
  const [value, clusters] =
    id === 'producer-outage-max'
      ? [
          producerOutage?.maxMs ?? (acked > 0 ? longestAckGapMs : undefined),
          Math.max(0, ...producerOutages.map(({ ms, stuckMs = 0 }) => ms - stuckMs)),
        ]
      : [
          producerOutage?.totalMs,
          Math.max((producerOutage?.totalMs ?? 0) - stuckMs, clustersTotal(producerOutages)),
        ];
  if (stuck.length === 0) return { value };
  const because = stuck.map(
    ({ partition, at, ms, stuckMs: own = 0 }) =>
      `partition ${partition}: the producer’s client was stuck for ${figure(own, 'ms')} of ${figure(ms, 'ms')} without an ack from ${new Date(at).toISOString()}, while the leader served`,
  );
  return clusters <= limit ? { value, inflatedBy: because } : { value };
}

/** The most that a partition's outages come to without the client's own part, at least, for the longest alone are told. ms */
function clustersTotal(outages: ProducerOutage[]): number {
  const totals = new Map<number, number>();
  for (const { partition, ms, stuckMs = 0 } of outages)
    totals.set(partition, (totals.get(partition) ?? 0) + ms - stuckMs);
  return Math.max(0, ...totals.values());
}

/** A client that was stuck read its records late, though they could be had. */
function latencySight(where: 'inside' | 'outside', { directReader, faultWindows }: StreamReport): Sight {
  const { [where]: latency, unsent = 0 } = faultWindows ?? {};
  const stuck = directReader?.stuckEvidence ?? [];
  if (latency === undefined) return {};
  if (stuck.length > 0)
    return { value: latency.p99, inflatedBy: ['the consumer’s client was stuck for a part of it', ...stuck] };
  const because =
    unsent > 0
      ? [`${unsent} records could not be sent; each counts with the time until its partition took others`]
      : [];
  return { value: latency.p99, because };
}

/** The longest of some times; not all of them may have been seen. Where none of the kills that were made hit the like, there was none. */
function slowest(what: 'leader' | 'replica', kills: KillRecord[], times: (number | undefined)[]): Sight {
  const seen = times.filter((time) => time !== undefined);
  if (times.length === 0 && kills.some(({ act }) => wasCarriedOut(act)))
    return { none: `no ${what} of the stream’s partition was killed` };
  if (seen.length === 0) return {};
  return seen.length === times.length
    ? { value: Math.max(...seen) }
    : { value: Math.max(...seen), atLeast: true };
}
