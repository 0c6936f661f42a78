import { millisecondsOf } from '../durations.ts';
import type { GateOf } from './promotion.ts';

/** Most runs that a promotion may plan, those of its soaks included: its history and record stay far below Temporal's limits. */
export const maxRuns = 500;

/** How often a soak repeats the experiments of its stage. */
export function repeatsOf({ duration, every }: Pick<GateOf<'soak'>, 'duration' | 'every'>): number {
  return Math.ceil(millisecondsOf(duration) / millisecondsOf(every));
}
