import { withoutHosts } from '../experiment/without-hosts.ts';
import type { KillContext } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';
import type { Held } from './reasons.ts';

/** Where Temporal does not answer it is asked again after this. ms */
const askAgainMs = 1_000;

/**
 * Gives a function that asks for this kill out of those of the hour where the worker has a limit, and tells why it may not be made,
 * and from when on it can be. A kill that is planned anew is the same one.
 */
export function askForKill(
  { policy, takeKill }: Pick<ActivityDependencies, 'policy' | 'takeKill'>,
  { resolved, index }: Pick<KillContext, 'resolved'> & { index: number },
): () => Promise<Held | undefined> {
  const { maxKillsPerHour } = policy;
  if (maxKillsPerHour === undefined) return async () => undefined;
  const limit = 'LEADERFALL_MAX_KILLS_PER_HOUR';
  return async () => {
    try {
      const taken = await takeKill(`${resolved.run.runId}#${index}`, maxKillsPerHour);
      if (taken.granted) return undefined;
      const again = new Date(taken.freeAt).toISOString();
      const reason = `${maxKillsPerHour} kills in the last hour are the most (${limit}), again from ${again} on`;
      return { reasons: [reason], until: taken.freeAt };
    } catch (error) {
      const why = withoutHosts(error instanceof Error ? error.message : String(error));
      const reason = `how many kills there were in the last hour is not known (${limit}): ${why}`;
      return { reasons: [reason], until: Date.now() + askAgainMs };
    }
  };
}
