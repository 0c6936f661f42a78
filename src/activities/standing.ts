import type { Belonging, Standing } from '../experiment/identity.ts';
import { problemWithoutHosts } from '../experiment/without-hosts.ts';
import type { ActivityDependencies } from './dependencies.ts';

/**
 * A run lives as long as its Temporal says so, whatever the expiry. Where its Temporal does not answer, or is not the one that is
 * asked here, nothing is known until the expiry has passed. Never throws.
 */
export async function standingOf(
  deps: Pick<ActivityDependencies, 'runState' | 'ownerOfRun'>,
  belonging: Belonging,
  now: number,
): Promise<Standing> {
  const { expires } = belonging;
  const known = await stateOf(deps, belonging);
  if (known === 'running') return { state: 'live', why: 'runs' };
  if (known === 'over') return { state: 'ended', why: 'is closed or unknown to its Temporal' };
  if (expires !== undefined && expires < now)
    return { state: 'ended', why: `${known}, and it expired ${new Date(expires).toISOString()}` };
  return { state: 'unknown', why: known };
}

/** `standingOf` for a provisioner: as things are when it asks. */
export function standingBy(deps: Parameters<typeof standingOf>[0]): (made: Belonging) => Promise<Standing> {
  return (made) => standingOf(deps, made, Date.now());
}

async function stateOf(
  deps: Pick<ActivityDependencies, 'runState' | 'ownerOfRun'>,
  { runId, owner: written, temporalNamespaceId: id }: Belonging,
): Promise<string> {
  try {
    const owner = written ?? (await deps.ownerOfRun(runId));
    if (owner === undefined) return 'this Temporal does not know its run';
    const state = await deps.runState(owner, id);
    if (state !== 'elsewhere') return state;
    return `its Temporal namespace${id ? `, of the id ${id},` : ''} is not here`;
  } catch (error) {
    return `its Temporal cannot be asked: ${problemWithoutHosts(error).message}`;
  }
}
