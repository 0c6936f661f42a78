/** What Temporal Cloud bills as Actions and a history tells of, by the names of a report. */
export const actionKinds = [
  'starts',
  'activities',
  'retries',
  'timers',
  'signals',
  'updates',
  'upserts',
  'children',
  'markers',
] as const;

/** Billed Temporal Actions by kind; a kind without any is absent. */
export type BilledActions = Partial<Record<(typeof actionKinds)[number], number>>;

/** All of them together. */
export function totalOf(actions: BilledActions): number {
  return Object.values(actions).reduce((sum, count) => sum + count, 0);
}
