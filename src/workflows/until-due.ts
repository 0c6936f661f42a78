import { CancellationScope, condition, sleep } from '@temporalio/workflow';
import type { Resolved } from '../activities/contract.ts';
import type { ResolvedExperiment } from '../experiment/spec.ts';
import { killsOf, reserveLeft } from '../experiment/steering.ts';
import type { Story } from './story.ts';

/** How long before a deadline a kill is prepared, unless its fault needs longer: connect, ask who leads, write the plan down. ms */
const usualLeadMs = 1_000;

/** How long before a deadline the kills of a run are prepared. ms */
export function leadMsOf({ leadMs = usualLeadMs }: Pick<Resolved, 'leadMs'>): number {
  return leadMs;
}

/**
 * Waits until just before the next kill's deadline as it stands: a pause holds and moves it, `killNow` brings it near. Gives the
 * deadline (epoch ms). A pause that uses up the run's reserve ends the wait too, with the pause still standing, and so does
 * the end of all injecting.
 */
export async function untilDue(
  story: Story,
  schedule: ResolvedExperiment['schedule'],
  deadlineNow: () => number,
  leadMs: number,
): Promise<number> {
  const { steering } = story;
  steering.round = 'waiting';
  for (;;) {
    if (steering.injectingStopped) return deadlineNow();
    if (steering.paused) {
      const over = () => !steering.paused || steering.injectingStopped !== undefined;
      const goesOn = await condition(over, reserveLeft(schedule, steering, Date.now()), {
        summary: 'until resume; at most until the run has no time left to wait',
      });
      if (!goesOn) return deadlineNow();
      continue;
    }
    const deadline = deadlineNow();
    steering.deadline = deadline;
    const waitMs = deadline - leadMs - Date.now();
    if (waitMs <= 0) return deadline;
    const planned = killsOf(schedule, steering);
    await sleepUnlessChanged(story, waitMs, `until just before kill ${steering.next + 1} of ${planned}`);
  }
}

/** A durable timer that ends early when somebody asks for something. */
async function sleepUnlessChanged(story: Story, ms: number, summary: string): Promise<void> {
  const before = story.changes;
  const timer = new CancellationScope();
  try {
    await timer.run(() => Promise.race([sleep(ms, { summary }), condition(() => story.changes !== before)]));
  } finally {
    timer.cancel();
  }
}
