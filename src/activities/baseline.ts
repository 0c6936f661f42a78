import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { SearchAttributeName } from '../experiment/search-attributes.ts';
import type { ResolvedExperiment } from '../experiment/spec.ts';
import { specText } from '../experiment/spec-hash.ts';
import type { Baseline } from '../experiment/verdict-line.ts';
import { problemWithoutHosts } from '../experiment/without-hosts.ts';
import type { ActivityDependencies } from './dependencies.ts';

/** Digest of what an experiment does: the first 16 hex digits of a sha256. */
export function specHashOf(experiment: ResolvedExperiment): string {
  return createHash('sha256').update(specText(experiment)).digest('hex').slice(0, 16);
}

/**
 * The last passed run of the same spec; undefined where there is none, or where Temporal does not tell in time, for a comparison
 * is a courtesy. Never throws.
 */
export async function findBaseline(
  deps: ActivityDependencies,
  specHash: string,
  registered: SearchAttributeName[],
  patienceMs = 5_000,
): Promise<Baseline | undefined> {
  const timer = new AbortController();
  const tooLate = delay(patienceMs, undefined, { signal: timer.signal }).catch(() => undefined);
  try {
    return await Promise.race([deps.lastPassed(specHash, registered), tooLate]);
  } catch (error) {
    deps.log.warn(
      { problem: problemWithoutHosts(error) },
      'the last passed run of this spec cannot be looked for',
    );
    return undefined;
  } finally {
    timer.abort();
  }
}
