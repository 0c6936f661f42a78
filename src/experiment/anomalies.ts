/** What the ledger tells apart, worst first. */
export const anomalyKinds = [
  'lost',
  'truncated',
  'stale',
  'damaged',
  'duplicated',
  'reordered',
  'foreign',
  'gap-open',
  'unknown-seen',
  'unknown-unseen',
  'silent-producer',
  'clock-step',
] as const;

/** One kind of departure from a log that holds each record once and in order. */
export type AnomalyKind = (typeof anomalyKinds)[number];

/** One record, place or producer that shows an anomaly; what does not apply is absent. */
export interface AnomalyExample {
  partition?: number;
  producer?: number;
  /** Number of the record within its producer and partition, from 0. */
  sequence?: number;
  offset?: number;
  /** What was there instead, in words. */
  detail?: string;
}

/** How often one kind was seen, and its first and its last example; equal where it was seen once. */
export interface Anomaly {
  kind: AnomalyKind;
  /** Records; for silent producers, producers; for clock steps, steps. */
  count: number;
  first: AnomalyExample;
  last: AnomalyExample;
}

/** What each kind means, as a report says it. */
export const anomalyMeaning: Record<AnomalyKind, string> = {
  lost: 'acknowledged, and not in the log when it was read to its end',
  truncated: 'the log went back: an offset that was acknowledged or read now holds another record or none',
  stale: 'read again, older than what the same reader had read before',
  damaged: 'read with a wrong checksum',
  duplicated: 'in the log more than once',
  reordered: 'in the log behind a later record of the same producer and partition',
  foreign: 'of another run, or of nobody we know',
  'gap-open': 'not read, and whether it was acknowledged or is still to come cannot be told',
  'unknown-seen': 'the send failed or timed out, and the record is in the log all the same',
  'unknown-unseen': 'the send failed or timed out, and the record is not in the log',
  'silent-producer': 'a producer that stopped trying before the end of the stream',
  'clock-step': 'a clock was set while the stream ran: times across it cannot be compared',
};

/** How records are sent and kept: what decides which anomaly is within the promise. */
export interface Delivery {
  acks: 0 | 1 | 'all';
  /** The brokers throw out what a producer sent twice. */
  idempotent: boolean;
  /** A failed send is repeated by the client itself. */
  retries: boolean;
  /** Batches on their way to one partition at the same time. */
  maxInFlight: number;
  /** unclean.leader.election.enable, where it was observed. */
  uncleanElection?: boolean;
}

/**
 * Why a kind is within what the settings promise, or undefined where it breaks the promise. Sources: Kafka's documentation of
 * the producer settings acks, enable.idempotence, retries and max.in.flight.requests.per.connection, and of the topic setting
 * unclean.leader.election.enable.
 */
export function permittedBy(kind: AnomalyKind, delivery: Delivery): string | undefined {
  const { acks, idempotent, retries, maxInFlight, uncleanElection } = delivery;
  switch (kind) {
    case 'lost':
    case 'truncated':
      if (acks !== 'all') return `acks=${acks} does not wait for the other replicas`;
      return uncleanElection ? unclean : undefined;
    case 'stale':
      return uncleanElection ? unclean : undefined;
    case 'duplicated':
      return retries && !idempotent ? 'a repeated send is not told from a new one' : undefined;
    case 'reordered':
      return retries && !idempotent && maxInFlight > 1 ? 'a repeated send may be overtaken' : undefined;
    case 'unknown-seen':
    case 'unknown-unseen':
      return 'a send without an answer promises nothing';
    case 'damaged':
    case 'foreign':
    case 'gap-open':
    case 'silent-producer':
    case 'clock-step':
      return undefined;
  }
}

const unclean = 'an unclean election lets a replica lead that lacks records';

/** Kinds that are Kafka's broken promise where the settings do not permit them; the others only limit what can be told. */
export const dataAnomalies = [
  'lost',
  'truncated',
  'stale',
  'damaged',
  'duplicated',
  'reordered',
] as const satisfies AnomalyKind[];

/** What an example says in one line: `partition 0, producer 1, sequence 17, offset 23`. */
export function exampleText({ partition, producer, sequence, offset, detail }: AnomalyExample): string {
  const named = Object.entries({ partition, producer, sequence, offset })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name} ${value}`);
  return [...named, ...(detail === undefined ? [] : [detail])].join(', ');
}
