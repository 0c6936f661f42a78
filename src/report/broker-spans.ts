import { type KillRecord, wasCarriedOut } from '../experiment/kill-record.ts';
import {
  type PartitionChange,
  type PartitionChanges,
  unpackChanges,
} from '../experiment/partition-changes.ts';
import type { ChaosResult } from '../experiment/result.ts';

/** What a broker was to the partition during a span. */
export type BrokerState = 'leader' | 'in-sync' | 'stopping' | 'out-of-sync';

/** A stretch of time in which one broker stayed in one state. Epoch ms. */
export interface BrokerSpan {
  broker: number;
  state: BrokerState;
  from: number;
  to: number;
}

interface Partition {
  /** Whether anything is known of it: nothing is between two stretches that were observed. */
  known: boolean;
  leader?: number | undefined;
  inSync: Set<number>;
  stopping: Set<number>;
  /** Brokers whose process is gone. */
  gone: Set<number>;
}

interface Change {
  at: number;
  apply(partition: Partition): void;
}

/** A stretch of time in which the observer saw these changes. Epoch ms. */
interface Stretch extends Pick<PartitionChanges, 'from' | 'to'> {
  changes: PartitionChange[];
}

/** How brokers stood over time. */
export interface BrokerTimes {
  /** Those that a chart has a lane for, ascending. */
  lanes: number[];
  spans: BrokerSpan[];
}

/**
 * How each broker of the partition stood over time, as the observer saw it. Histories of earlier versions hold the records of kills
 * alone: of those, from the first plan to the last observation, and between the full ISR of one kill and the plan of the next a leader
 * that both agree on is taken to have led throughout.
 */
export function brokerTimes({ kills, parts = [] }: Pick<ChaosResult, 'kills' | 'parts'>): BrokerTimes {
  const seen = parts.flatMap(({ changes }) =>
    changes ? [{ from: changes.from, to: changes.to, changes: unpackChanges(changes) }] : [],
  );
  const all = seen.length > 0 ? [...seen.flatMap(observed), ...kills.flatMap(stopping)] : told(kills);
  const changes = all.sort((a, b) => a.at - b.at);
  const brokers = replicasOf(kills, seen);
  const partition: Partition = {
    known: seen.length === 0,
    inSync: new Set(),
    stopping: new Set(),
    gone: new Set(),
  };
  const spans: BrokerSpan[] = [];
  for (const [index, change] of changes.entries()) {
    change.apply(partition);
    const to = changes[index + 1]?.at;
    if (!partition.known || to === undefined || to === change.at) continue;
    for (const broker of brokers)
      extend(spans, { broker, state: stateOf(partition, broker), from: change.at, to });
  }
  const aimedAt = kills.flatMap(({ plan }) => (plan ? [plan.broker] : []));
  return { lanes: ascending([...brokers, ...aimedAt]), spans };
}

/** Brokers that were replicas of the partition, ascending. */
function replicasOf(kills: readonly KillRecord[], seen: Stretch[]): number[] {
  const changed = seen.flatMap(({ changes }) => changes);
  const ids = changed.flatMap(({ kind, brokers }) => (kind === 'leader' || kind === 'isr' ? brokers : []));
  const planned = kills.flatMap(({ plan }) => plan?.replicas ?? []);
  return ascending([...planned, ...ids]);
}

function ascending(brokers: number[]): number[] {
  return [...new Set(brokers)].sort((a, b) => a - b);
}

/** What the observer saw in one stretch; before and after it, nothing is known. */
function observed({ from, to, changes }: Stretch): Change[] {
  return [
    {
      at: from,
      apply: (partition) => {
        partition.known = true;
        partition.leader = undefined;
        partition.inSync.clear();
        partition.gone.clear();
      },
    },
    ...changes.map(({ at, kind, brokers }) => ({
      at,
      apply: (partition: Partition) => {
        const [broker] = brokers;
        if (kind === 'leader') partition.leader = broker;
        else if (kind === 'isr') partition.inSync = new Set(brokers);
        else if (broker !== undefined) {
          if (kind === 'back') partition.gone.delete(broker);
          else partition.gone.add(broker);
          if (kind === 'gone') partition.stopping.delete(broker);
        }
      },
    })),
    {
      at: to,
      apply: (partition) => {
        partition.known = false;
      },
    },
  ];
}

/** From the request to kill a broker to the end of its process. */
function stopping({ plan, act, proof }: KillRecord): Change[] {
  if (!plan || !wasCarriedOut(act)) return [];
  const { broker } = plan;
  const goneAt = proof?.processGoneAt ?? proof?.podGoneAt;
  const request: Change = { at: act.requestedAt, apply: (partition) => partition.stopping.add(broker) };
  const end: Change = { at: goneAt ?? 0, apply: (partition) => partition.stopping.delete(broker) };
  return goneAt === undefined ? [request] : [request, end];
}

/** What the records of kills tell alone. */
function told(kills: readonly KillRecord[]): Change[] {
  return kills.flatMap((kill, index) => changesOf(kill, kills[index + 1]));
}

function changesOf({ plan, act, proof }: KillRecord, next: KillRecord | undefined): Change[] {
  if (!plan) return [];
  const { broker } = plan;
  const changes: Change[] = [
    {
      at: plan.deadline + plan.guardWaitMs,
      apply: (partition) => {
        partition.leader = plan.leader;
        partition.inSync = new Set(plan.isr);
        partition.stopping.clear();
      },
    },
  ];
  if (!wasCarriedOut(act)) return changes;
  const { requestedAt } = act;
  changes.push({ at: requestedAt, apply: ({ stopping }) => stopping.add(broker) });
  const goneAt = proof?.processGoneAt ?? proof?.podGoneAt;
  if (goneAt !== undefined) {
    changes.push({
      at: goneAt,
      apply: (partition) => {
        partition.stopping.delete(broker);
        partition.inSync.delete(broker);
        if (partition.leader === broker) partition.leader = undefined;
      },
    });
  }
  const { newLeader, newLeaderAt, timeToFullIsrMs } = proof ?? {};
  if (newLeader !== undefined && newLeaderAt !== undefined) {
    changes.push({
      at: newLeaderAt,
      apply: (partition) => {
        partition.leader = newLeader;
      },
    });
  }
  if (timeToFullIsrMs !== undefined) {
    const agreed = next?.plan === undefined || next.plan.leader === (newLeader ?? plan.leader);
    changes.push({
      at: requestedAt + timeToFullIsrMs,
      apply: (partition) => {
        partition.inSync = new Set(plan.replicas);
        partition.stopping.clear();
        if (!agreed) partition.leader = undefined;
      },
    });
  }
  return changes;
}

function stateOf({ leader, inSync, stopping, gone }: Partition, broker: number): BrokerState {
  if (stopping.has(broker)) return 'stopping';
  // What the brokers' metadata says of a process that is gone is old.
  if (gone.has(broker)) return 'out-of-sync';
  if (leader === broker) return 'leader';
  return inSync.has(broker) ? 'in-sync' : 'out-of-sync';
}

function extend(spans: BrokerSpan[], span: BrokerSpan): void {
  const before = spans.findLast(({ broker }) => broker === span.broker);
  if (before?.state === span.state && before.to === span.from) before.to = span.to;
  else spans.push(span);
}
