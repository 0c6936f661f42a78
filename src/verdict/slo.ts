import { type Evidence, type KillRecord, type StreamReport, wasCarriedOut } from '../experiment/result.ts';
import { type SloId, type SloLimit, sloLimits } from '../experiment/slo.ts';
import type { VerdictLine } from '../experiment/verdict-line.ts';
import { figure, notObserved } from './words.ts';

/** Figures that a Pass rests on, asked for or not: what happened to the data. */
const dataIds: readonly SloId[] = ['lost', 'duplicates', 'reorders'];

/** A run that never came to have limits cannot have kept to them. */
const unlimited: VerdictLine = {
  id: 'lost',
  gate: false,
  what: 'acknowledged records lost',
  required: 'the experiment’s limits',
  observed: notObserved,
  outcome: 'not observable',
  leadsTo: 'Inconclusive',
  because: ['the experiment was never resolved'],
};

/** What was seen of one figure. */
interface Sight {
  value?: number;
  /** The value may be more, for not all was seen. */
  atLeast?: boolean;
  /** Why it is not known, or what it means, in sentences. */
  because?: string[];
}

/**
 * One line for each limit. Above it is Fail. What was not observed is Inconclusive where the spec asks for it or where it is about
 * data; a time that only a default limits may stay unseen.
 */
export function sloLines(evidence: Evidence): VerdictLine[] {
  if (!evidence.experiment) return [unlimited];
  return sloLimits(evidence.experiment).map((limit) => lineOf(limit, sightOf(limit.id, evidence)));
}

function lineOf(
  { id, what, unit, limit, origin }: SloLimit,
  { value, atLeast, because = [] }: Sight,
): VerdictLine {
  const line = { id, gate: false, what, required: `≤ ${figure(limit, unit)}`, limit, unit, origin };
  const seen = value === undefined ? {} : { value };
  if (value !== undefined && value > limit) {
    const observed = `${atLeast ? '≥ ' : ''}${figure(value, unit)}`;
    const fact = because[0] ?? `${what}: ${observed}`;
    const facts = [`${fact}; at most ${figure(limit, unit)} allowed`];
    return { ...line, ...seen, observed, outcome: 'not met', leadsTo: 'Fail', because: facts };
  }
  if (value === undefined || atLeast) {
    const counts = origin === 'spec' || dataIds.includes(id);
    return {
      ...line,
      observed: notObserved,
      outcome: 'not observable',
      ...(counts ? { leadsTo: 'Inconclusive' as const } : {}),
      because: because.length > 0 || !counts ? because : [`${what}: not observed`],
    };
  }
  return { ...line, ...seen, observed: figure(value, unit), outcome: 'met', because };
}

function sightOf(id: SloId, { stream, kills }: Evidence): Sight {
  switch (id) {
    case 'time-to-new-leader':
      return slowest(kills.filter(killedLeader).map(({ proof }) => proof?.timeToNewLeaderMs));
    case 'time-to-full-isr':
      return slowest(kills.filter(killedReplica).map(({ proof }) => proof?.timeToFullIsrMs));
    default:
      return stream ? streamSight(id, stream) : {};
  }
}

function streamSight(
  id: Exclude<SloId, 'time-to-new-leader' | 'time-to-full-isr'>,
  stream: StreamReport,
): Sight {
  const { producerOutage, faultWindows, acked } = stream;
  switch (id) {
    case 'lost':
      return lostSight(stream);
    case 'duplicates':
      return counted(stream.duplicated, stream);
    case 'reorders':
      return counted(stream.outOfOrder, stream);
    case 'producer-outage-max':
      return { value: producerOutage?.maxMs ?? (acked > 0 ? stream.longestAckGapMs : undefined) };
    case 'producer-outage-total':
      return { value: producerOutage?.totalMs };
    case 'consumer-silence':
      return silenceSight(stream);
    case 'p99-inside-fault':
      return { value: faultWindows?.inside?.p99 };
    case 'p99-outside-fault':
      return { value: faultWindows?.outside?.p99 };
    case 'throughput-dip':
      return { value: faultWindows?.throughputDipPercent };
  }
}

function lostSight({ lost, lostExamples, drained, acked }: StreamReport): Sight {
  if (!drained) {
    return { because: ['the closing read did not reach the end of the log, so lost records cannot be told'] };
  }
  if (lost === 0) return { value: 0, because: [`none of ${acked} acknowledged records is lost`] };
  return {
    value: lost,
    because: [`${lost} acknowledged records are lost, the first with index ${lostExamples[0]}`],
  };
}

/** What was counted up to where the log was read. */
function counted(value: number, { drained }: StreamReport): Sight {
  return drained ? { value } : { value, atLeast: true };
}

/** A silence that nobody could look into may be our own client's. */
function silenceSight({ longestSilenceMs, silence, received }: StreamReport): Sight {
  if (received === 0 || (silence && silence.confirmed !== 'outage')) return {};
  return {
    value: longestSilenceMs,
    because: [`the longest silence at the consumer was ${longestSilenceMs} ms`],
  };
}

/** The longest of some times; not all of them may have been seen, and where there is none nothing was. */
function slowest(times: (number | undefined)[]): Sight {
  const seen = times.filter((time) => time !== undefined);
  if (seen.length === 0) return {};
  return seen.length === times.length
    ? { value: Math.max(...seen) }
    : { value: Math.max(...seen), atLeast: true };
}

function killedLeader({ act, plan }: KillRecord): boolean {
  return wasCarriedOut(act) && plan !== undefined && plan.broker === plan.leader;
}

function killedReplica({ act, plan }: KillRecord): boolean {
  return wasCarriedOut(act) && plan?.replicas.includes(plan.broker) === true;
}
