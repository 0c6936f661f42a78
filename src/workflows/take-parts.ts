import type { KillContext } from '../activities/contract.ts';
import { partMs, streamFrom } from '../experiment/stream-part.ts';
import { partStep } from './activity-options.ts';
import type { Story } from './story.ts';

/** Records that are still under way have no latency yet. ms */
const settleMs = 10_000;

/**
 * Begins to take over a part of a long run's stream where the last one is old enough. Nothing waits for it: a kill that is due
 * is not held up. What cannot be had is left to the next part.
 */
export function takePartWhereDue(context: KillContext, story: Story): void {
  const long = partMs(context.resolved.experiment.schedule.durationSeconds * 1_000);
  const to = Date.now() - settleMs;
  if (long === undefined || story.takingPart || to - startOf(context, story) < long) return;
  story.takingPart = take(context, story, to);
}

/** Takes over what is left of the stream where parts of it were taken before. */
export async function takeLastPart(context: KillContext, story: Story): Promise<void> {
  await story.takingPart;
  if (story.partsUntil !== undefined) await take(context, story, Date.now());
}

async function take({ liveness }: KillContext, story: Story, to: number): Promise<void> {
  const from = startOf({ liveness }, story);
  try {
    const { until } = await partStep().takePart({ liveness, from, to });
    if (until !== undefined) story.partsUntil = until;
  } catch {
    // The picture of a run is never a reason to end it; a cancellation ends it elsewhere.
  } finally {
    delete story.takingPart;
  }
}

function startOf({ liveness }: Pick<KillContext, 'liveness'>, { partsUntil }: Story): number {
  return partsUntil ?? streamFrom(liveness.steadyAt);
}
