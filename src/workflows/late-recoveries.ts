import type { Closing } from '../activities/contract.ts';
import { type KillRecord, wasCarriedOut } from '../experiment/kill-record.ts';
import { type UnseenRecovery, unseenRecoveries } from '../experiment/unseen-recovery.ts';
import type { Story } from './story.ts';

/**
 * The kill that was made last, where its own proof did not live to see the recovery: the next proof, in whichever history, looks
 * for it once more. `before`: epoch ms, when the next kill was made.
 */
export function unseenOfLast(story: Story, before?: number): UnseenRecovery[] {
  const last = killsKnown(story).findLast(
    ({ act }) => wasCarriedOut(act) && act.answeredAt === story.lastActAt,
  );
  return last ? unseenRecoveries([last], before) : [];
}

/** Kills whose recovery is to be looked for when the stream is closed. */
export function unseenAtEnd(story: Story): UnseenRecovery[] {
  const { kills } = story;
  return kills.some(({ act }) => wasCarriedOut(act)) ? unseenRecoveries(kills) : unseenOfLast(story);
}

/** Adds what was found to the proofs of those kills. */
export function takeRecoveries(story: Story, recoveries: Closing['recoveries']): void {
  for (const { index, timeToFullIsrMs } of recoveries) {
    const proof = killsKnown(story).find((kill) => kill.index === index)?.proof;
    if (proof) proof.timeToFullIsrMs ??= timeToFullIsrMs;
  }
}

function killsKnown({ earlier, kills }: Story): KillRecord[] {
  return [...(earlier?.notable ?? []), ...kills];
}
