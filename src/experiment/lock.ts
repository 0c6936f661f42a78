import type { Asked } from './steering.ts';

/** Id of the workflow whose going on is the lock of its Temporal namespace. */
export const lockWorkflowId = 'leaderfall-lock';

/** Memo of that workflow: who locked, and why. */
export const lockMemo = 'LeaderfallLock';

/** No run may begin, and none may kill. */
export interface Lock extends Asked {
  /** RFC 3339. */
  since: string;
}

/** The lock out of its workflow's memo; one that was started by hand has none. */
export function lockOf(memo: unknown, since: Date): Lock {
  const said = typeof memo === 'object' && memo !== null ? (memo as Record<string, unknown>) : {};
  const text = (value: unknown) => (typeof value === 'string' ? value : 'not given');
  return { actor: text(said.actor), reason: text(said.reason), since: since.toISOString() };
}

/** `locked by ann since 2026-01-31T12:00:00.000Z: a release` */
export function lockText({ actor, reason, since }: Lock): string {
  return `locked by ${actor} since ${since}: ${reason}`;
}
