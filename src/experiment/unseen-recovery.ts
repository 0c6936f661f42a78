import { type KillRecord, wasCarriedOut } from './kill-record.ts';

/** A kill that was carried out and whose proof did not live to see all replicas in sync again. */
export interface UnseenRecovery {
  index: number;
  /** When its request was made, epoch ms. */
  requestedAt: number;
  /** When that of the next kill was, epoch ms: what comes later is not this one's. */
  before?: number;
  /** How many replicas the stream's partition has. */
  replicas: number;
}

/** Those among kills in their order; `before` (epoch ms) ends the last one's. */
export function unseenRecoveries(kills: readonly KillRecord[], before?: number): UnseenRecovery[] {
  const made = kills.filter(({ act }) => wasCarriedOut(act));
  return made.flatMap(({ index, act, plan, proof }, place) => {
    if (!wasCarriedOut(act) || !plan || proof?.timeToFullIsrMs !== undefined) return [];
    const next = made[place + 1]?.act;
    const end = wasCarriedOut(next) ? next.requestedAt : before;
    const { requestedAt } = act;
    return [
      { index, requestedAt, ...(end === undefined ? {} : { before: end }), replicas: plan.replicas.length },
    ];
  });
}
