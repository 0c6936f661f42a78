import { type ChaosResult, type KillRecord, wasCarriedOut } from '../experiment/result.ts';

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
  leader?: number;
  inSync: Set<number>;
  stopping: Set<number>;
}

interface Change {
  at: number;
  apply(partition: Partition): void;
}

/**
 * How each broker of the partition stood over time, from the first plan to the last observation. Only what a kill's record holds
 * is told: between the full ISR of one kill and the plan of the next, a leader that both agree on is taken to have led throughout.
 */
export function brokerSpans({ kills }: Pick<ChaosResult, 'kills'>): BrokerSpan[] {
  const brokers = [...new Set(kills.flatMap(({ plan }) => plan?.replicas ?? []))].sort((a, b) => a - b);
  const changes = kills
    .flatMap((kill, index) => changesOf(kill, kills[index + 1]))
    .sort((a, b) => a.at - b.at);
  const partition: Partition = { inSync: new Set(), stopping: new Set() };
  const spans: BrokerSpan[] = [];
  for (const [index, change] of changes.entries()) {
    change.apply(partition);
    const to = changes[index + 1]?.at;
    if (to === undefined || to === change.at) continue;
    for (const broker of brokers)
      extend(spans, { broker, state: stateOf(partition, broker), from: change.at, to });
  }
  return spans;
}

/** Brokers that a chart of these kills has a lane for, ascending. */
export function lanesOf({ kills }: Pick<ChaosResult, 'kills'>): number[] {
  const all = kills.flatMap(({ plan }) => (plan ? [...plan.replicas, plan.broker] : []));
  return [...new Set(all)].sort((a, b) => a - b);
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

function stateOf({ leader, inSync, stopping }: Partition, broker: number): BrokerState {
  if (stopping.has(broker)) return 'stopping';
  if (leader === broker) return 'leader';
  return inSync.has(broker) ? 'in-sync' : 'out-of-sync';
}

function extend(spans: BrokerSpan[], span: BrokerSpan): void {
  const before = spans.findLast(({ broker }) => broker === span.broker);
  if (before?.state === span.state && before.to === span.from) before.to = span.to;
  else spans.push(span);
}
