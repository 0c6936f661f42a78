import type { GuardWait } from '../experiment/kill-record.ts';
import { addReasons } from './reasons.ts';

/** What the guard does to a kill in this attempt. */
export interface GuardWaiting {
  /** What it did before: in an earlier attempt, or before the kill's target moved. */
  before: GuardWait;
  /** Epoch ms: of the kill, and from when on this attempt looks. */
  deadline: number;
  since: number;
  /** Of this attempt; empty as long as nothing was waited for. */
  reasons: string[];
}

/** All that the guard has made the kill wait so far. Being late for another reason is not in it. */
export function waitedSoFar({ before, deadline, since, reasons }: GuardWaiting): GuardWait {
  const ownMs = reasons.length > 0 ? Math.max(0, Date.now() - Math.max(deadline, since)) : 0;
  return {
    guardWaitMs: before.guardWaitMs + ownMs,
    guardReasons: addReasons(before.guardReasons, reasons),
  };
}

/** What the guard has made the kill wait so far, for the beats of its step; nothing where it did not. */
export function waitToCarry(waiting: GuardWaiting): { waited?: GuardWait } {
  const waited = waitedSoFar(waiting);
  return waited.guardReasons.length > 0 ? { waited } : {};
}

/**
 * The wait in what the last beat of the attempt before has told; undefined where there is none. From that beat on nobody is known to
 * have waited: the time until a lost worker is missed is lateness.
 */
export function waitedBefore(carried: Record<string, unknown>): GuardWait | undefined {
  // Beats of an earlier version, and of attempts that have not waited, say what a person is shown and no more.
  const { guardWaitMs, guardReasons } = (carried.waited ?? {}) as Partial<GuardWait>;
  const isWait =
    Number.isFinite(guardWaitMs) &&
    Array.isArray(guardReasons) &&
    guardReasons.every((reason) => typeof reason === 'string');
  return isWait ? { guardWaitMs: Number(guardWaitMs), guardReasons } : undefined;
}
