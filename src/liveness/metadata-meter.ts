import type { IsrShrink, MetadataFigures } from '../experiment/stream-figures.ts';
import type { Partition } from '../kafka/port.ts';

/** Only the first are told one by one. */
export const maxShrinks = 40;

/** Only the latest are kept. */
const maxLeaders = 500;

/** A leader became known of a partition, or that it has none (-1). */
export interface LeaderKnown {
  partition: number;
  /** Epoch ms, observer's clock. */
  at: number;
  leader: number;
}

/** Who leads a partition, by a broker's word. */
type Lead = Pick<Partition, 'leader' | 'leaderEpoch'>;

/**
 * Whether a broker does not know yet what is known of a partition: epochs only grow. Brokers before 2.1 tell none, and hear of a new
 * leader one after the other: there, who leads counts by the leader's own word, that nobody does by anybody's.
 */
export function isBehind(told: Lead, known: Lead, byLeader: boolean): boolean {
  if (told.leaderEpoch >= 0) return told.leaderEpoch < known.leaderEpoch;
  return told.leader >= 0 && told.leader !== known.leader && !byLeader;
}

/** Adds up what the brokers' metadata shows of a topic's partitions. */
export interface MetadataMeter {
  /** One broker's answer. `byLeader` says of a leader's id whether it is that broker's own. */
  saw(at: number, partitions: Partition[], controller: number, byLeader: (leader: number) => boolean): void;
  /** Brokers that are out of sync in one of the partitions at least. */
  behind(): Set<number>;
  figures(now: number): MetadataFigures;
  /** Since an epoch ms. */
  leaders(since: number): LeaderKnown[];
}

interface Known {
  leader: number;
  leaderEpoch: number;
  leaderlessSince?: number;
  shrunkSince?: number;
  shrink?: IsrShrink;
  /** Replicas that are not in sync. */
  behind?: number[];
}

/** A meter that has seen nothing yet. */
export function metadataMeter(): MetadataMeter {
  const known = new Map<number, Known>();
  const leaders: LeaderKnown[] = [];
  const shrinks: IsrShrink[] = [];
  const sums = { leaderlessMs: 0, leaderlessCount: 0, leaderChanges: 0, controllerChanges: 0 };
  const shrunk = { count: 0, longestMs: 0, ms: 0 };
  let lastController = -1;

  function leads(at: number, { partition, leader, leaderEpoch }: Partition): void {
    const before = known.get(partition);
    const now: Known = { ...before, leader, leaderEpoch };
    known.set(partition, now);
    if (before?.leader === leader) return;
    leaders.push({ partition, at, leader });
    if (leaders.length > maxLeaders) leaders.shift();
    if (before && leader >= 0) sums.leaderChanges++;
    if (leader < 0) {
      sums.leaderlessCount++;
      now.leaderlessSince = at;
    } else if (now.leaderlessSince !== undefined) {
      sums.leaderlessMs += at - now.leaderlessSince;
      delete now.leaderlessSince;
    }
  }

  function inSync(at: number, { partition, isr, replicas }: Partition): void {
    const found = known.get(partition);
    if (!found) return;
    found.behind = replicas.filter((id) => !isr.includes(id));
    if (isr.length >= replicas.length) {
      if (found.shrunkSince === undefined) return;
      shrunk.ms += at - found.shrunkSince;
      shrunk.longestMs = Math.max(shrunk.longestMs, at - found.shrunkSince);
      if (found.shrink) found.shrink.fullAt = at;
      delete found.shrunkSince;
      delete found.shrink;
      return;
    }
    if (found.shrunkSince === undefined) {
      found.shrunkSince = at;
      shrunk.count++;
      found.shrink = { partition, at, least: isr.length };
      if (shrinks.length < maxShrinks) shrinks.push(found.shrink);
    }
    if (found.shrink) found.shrink.least = Math.min(found.shrink.least, isr.length);
  }

  return {
    saw(at, partitions, controller, byLeader) {
      if (controller >= 0) {
        if (lastController >= 0 && controller !== lastController) sums.controllerChanges++;
        lastController = controller;
      }
      for (const partition of partitions) {
        const before = known.get(partition.partition);
        const fromLeader = byLeader(partition.leader);
        if (before && isBehind(partition, before, fromLeader)) continue;
        const changed = partition.leaderEpoch < 0 && partition.leader !== before?.leader;
        const newer = !before || changed || partition.leaderEpoch > before.leaderEpoch;
        // Within an epoch brokers learn of a leader's end, and of the ISR, one after the other.
        if (newer || partition.leader < 0 !== before.leader < 0) leads(at, partition);
        if (newer || fromLeader) inSync(at, partition);
      }
    },
    behind: () => new Set([...known.values()].flatMap(({ behind = [] }) => behind)),
    figures(now) {
      let { leaderlessMs } = sums;
      let { ms: shrunkMs, longestMs } = shrunk;
      for (const { leaderlessSince = now, shrunkSince = now } of known.values()) {
        leaderlessMs += now - leaderlessSince;
        shrunkMs += now - shrunkSince;
        longestMs = Math.max(longestMs, now - shrunkSince);
      }
      const { leaderlessCount, leaderChanges, controllerChanges } = sums;
      return {
        ...{ leaderlessMs, leaderlessCount, leaderChanges, controllerChanges },
        underReplicatedSeconds: Math.round(shrunkMs / 10) / 100,
        ...{ shrinkCount: shrunk.count, longestShrunkMs: longestMs },
        openShrinks: [...known.values()].filter(({ shrunkSince }) => shrunkSince !== undefined).length,
        shrinks: shrinks.map((shrink) => ({ ...shrink })),
      };
    },
    leaders: (since) => leaders.filter(({ at }) => at >= since),
  };
}
