import type { Delivery } from '../experiment/anomalies.ts';
import type { IsrShrink, ProducerOutage } from '../experiment/stream-figures.ts';
import { maxShrinks } from './metadata-meter.ts';

/** A request that a broker has is answered or has timed out after 3 s: a client that has got neither for longer sends none. ms */
const stuckFromMs = 4_000;

/** What a broker answers that does not lead. */
const notLeading = ['NOT_LEADER_FOR_PARTITION', 'LEADER_NOT_AVAILABLE', 'UNKNOWN_TOPIC_OR_PARTITION'];

/** How the stream's records are kept. */
export interface Keeping {
  acks: Delivery['acks'] | undefined;
  minInsyncReplicas: number;
  /** The first `maxShrinks` in the order of their begin; absent where nobody saw the metadata. */
  shrinks?: readonly IsrShrink[] | undefined;
}

/**
 * How much of an outage was the producer's client alone, ms: the leader served the observer's probes, replicas enough were in sync, no
 * broker that leads refused a record, and no request was on its way for long. Undefined where that cannot be told.
 */
export function stuckTime(outage: ProducerOutage, keeping: Keeping): number | undefined {
  const { servedMs = 0, errors } = outage;
  if (servedMs < stuckFromMs || !Object.keys(errors).every(isClients)) return undefined;
  return keeping.acks === 'all' && !hadReplicas(outage, keeping) ? undefined : servedMs;
}

/** Whether replicas enough are known to have been in sync all the while. */
function hadReplicas(outage: ProducerOutage, keeping: Keeping): boolean {
  const { shrinks } = keeping;
  if (!shrinks) return false;
  const last = shrinks.at(-1);
  // What shrank after the last that is told is not known.
  if (last && shrinks.length >= maxShrinks && outage.at + outage.ms > last.at) return false;
  return !shrinks.some((shrink) => forbids(shrink, outage, keeping));
}

/** Whether an error says nothing of a leader: no broker had the request, or it does not lead. */
function isClients(kind: string): boolean {
  if (notLeading.includes(kind)) return true;
  const ofBroker = /^[A-Z]+(_[A-Z]+)+$/.test(kind) && !kind.startsWith('ERR_');
  return !ofBroker && !/time_?d?out/i.test(kind);
}

function forbids(
  { partition, at, fullAt = Number.POSITIVE_INFINITY, least }: IsrShrink,
  outage: ProducerOutage,
  { minInsyncReplicas }: Keeping,
): boolean {
  const meanwhile = at < outage.at + outage.ms && fullAt > outage.at;
  return partition === outage.partition && meanwhile && least < minInsyncReplicas;
}
