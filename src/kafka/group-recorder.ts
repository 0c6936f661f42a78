import type { Consumer } from 'kafkajs';
import type { GroupFigures } from '../experiment/stream-figures.ts';

/** Requests that only a group's coordinator answers. */
const toCoordinator = ['JoinGroup', 'SyncGroup', 'Heartbeat', 'OffsetCommit'];

/** Keeps what being a member of a group costs, over all clients that it is told of. */
export interface GroupRecorder {
  /** Listens to a client before it joins. */
  follow(consumer: Pick<Consumer, 'on' | 'events'>): void;
  figures(): GroupFigures;
}

/** kafkajs tells of a rebalance when the coordinator asks for it, and of the join that ends it. */
export function groupRecorder(now: () => number = Date.now): GroupRecorder {
  const seen = { rebalances: 0, rebalanceMs: 0, longestRebalanceMs: 0, coordinatorMoves: 0 };
  return {
    follow(consumer) {
      const { events } = consumer;
      let beganAt: number | undefined;
      let joined = false;
      // Each client has a group of its own, and so a coordinator of its own.
      let coordinator: string | undefined;
      consumer.on(events.REBALANCING, () => {
        beganAt ??= now();
      });
      consumer.on(events.GROUP_JOIN, ({ payload }) => {
        // The first join of a client moves nobody's partitions; a later one without a word before was asked for by ourselves.
        if (joined || beganAt !== undefined) {
          const took = beganAt === undefined ? payload.duration : now() - beganAt;
          seen.rebalances++;
          seen.rebalanceMs += took;
          seen.longestRebalanceMs = Math.max(seen.longestRebalanceMs, took);
        }
        joined = true;
        beganAt = undefined;
      });
      consumer.on(events.REQUEST, ({ payload }) => {
        if (!toCoordinator.includes(payload.apiName) || payload.broker === coordinator) return;
        if (coordinator !== undefined) seen.coordinatorMoves++;
        coordinator = payload.broker;
      });
    },
    figures: () => ({ ...seen }),
  };
}
