import { millisecondsOf } from '../durations.ts';
import type { GateOf } from './promotion.ts';

/** Most runs that a promotion may plan, those of its soaks included: its history and record stay far below Temporal's limits. */
export const maxRuns = 500;

/** How often a soak repeats the experiments of its stage. */
export function repeatsOf({ duration, every }: Pick<GateOf<'soak'>, 'duration' | 'every'>): number {
  return Math.ceil(millisecondsOf(duration) / millisecondsOf(every));
}

/**
 * The repeat that follows number `done` (from 1) of a soak, `sinceMs` after the soak began. Repeats whose moment has passed meanwhile
 * are left out, as schedules do, but never the last one: it closes the soak, late if need be. After the last: one more than there are.
 */
export function repeatAfter(
  done: number,
  gate: Pick<GateOf<'soak'>, 'duration' | 'every'>,
  sinceMs: number,
): number {
  const next = Math.ceil(sinceMs / millisecondsOf(gate.every));
  return Math.max(done + 1, Math.min(next, repeatsOf(gate)));
}
