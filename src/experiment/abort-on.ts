import type { AbortOnId } from './abort-on-ids.ts';
import { sloLimits } from './slo.ts';
import type { ResolvedExperiment } from './spec.ts';

/** A limit that was seen broken while the run went on. */
export interface BrokenSlo {
  id: AbortOnId;
  value: number;
  limit: number;
  /** Epoch ms, worker's clock. */
  observedAt: number;
}

/** That no more kill is made, since when and why. */
export interface InjectingStopped {
  /** Epoch ms. */
  at: number;
  reason: string;
  /** Absent where the stream could not be watched any more. */
  broken?: BrokenSlo;
}

/** The first line of `abortOn` whose figure is above its limit. `kills`: as `sloLimits` takes them. */
export function brokenOf(
  experiment: ResolvedExperiment,
  figures: Partial<Record<AbortOnId, number | undefined>>,
  observedAt: number,
  kills?: number,
): BrokenSlo | undefined {
  const limits = new Map(sloLimits(experiment, kills).map(({ id, limit }) => [id, limit]));
  for (const id of abortOnOf(experiment)) {
    const [value, limit] = [figures[id], limits.get(id)];
    if (value !== undefined && limit !== undefined && value > limit) return { id, value, limit, observedAt };
  }
  return undefined;
}

/** Whether an experiment stops injecting on one of these lines. */
export function abortsOn(experiment: Partial<ResolvedExperiment>, ids: readonly AbortOnId[]): boolean {
  return abortOnOf(experiment).some((id) => ids.includes(id));
}

/** Runs that began with an earlier version have none. */
function abortOnOf({ abortOn = [] }: Partial<ResolvedExperiment>): AbortOnId[] {
  return abortOn;
}
