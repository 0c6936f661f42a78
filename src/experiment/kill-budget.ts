/** A kill counts for an hour, and for the minute by which it may be made later than it was asked for. ms */
export const countedMs = 3_660_000;

/** Whether a kill may be made; where not, when one may be again (epoch ms). */
export type Taken = { granted: true } | { granted: false; freeAt: number };

/** A kill that was asked for: by run and index, and when (epoch ms). */
export interface TakenKill {
  key: string;
  at: number;
}

/** One kill that is asked for. The same key is the same kill. */
export interface AskedKill {
  key: string;
  /** At most so many in an hour. */
  perHour: number;
}

/** Id of the workflow that counts the kills of its Temporal namespace. */
export const killBudgetId = 'leaderfall-kills';

/** Name of the update that asks for a kill. */
export const takeKillUpdate = 'takeKill';

/** The kills that still count at `now` (epoch ms). */
export function ofLastHour(taken: readonly TakenKill[], now: number): TakenKill[] {
  return taken.filter(({ at }) => at > now - countedMs);
}

/** Answers one who asks at `now` (epoch ms), and what is taken then. What was granted stays so when it is asked again. */
export function takeKill(
  before: readonly TakenKill[],
  { key, perHour }: AskedKill,
  now: number,
): { answer: Taken; taken: TakenKill[] } {
  const taken = ofLastHour(before, now);
  if (taken.some((kill) => kill.key === key)) return { answer: { granted: true }, taken };
  // The newest of those that must have gone out of the hour before there is room again.
  const last = taken[taken.length - perHour];
  if (last) return { answer: { granted: false, freeAt: last.at + countedMs }, taken };
  return { answer: { granted: true }, taken: [...taken, { key, at: now }] };
}
