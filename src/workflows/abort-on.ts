import { CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import type { KillContext } from '../activities/contract.ts';
import { abortsOn, type BrokenSlo, brokenOf, type InjectingStopped } from '../experiment/abort-on.ts';
import { streamFigureIds } from '../experiment/abort-on-ids.ts';
import type { KillRecord } from '../experiment/kill-record.ts';
import { maxKillsOfHistory, reserveSeconds } from '../experiment/schedule.ts';
import { killsOf } from '../experiment/steering.ts';
import { brokenText } from '../verdict/words.ts';
import { watchStep } from './activity-options.ts';
import { problemOfFailure } from './failure.ts';
import { type Story, tell } from './story.ts';

/** What guards and proofs may take besides the kills' own times. ms */
const watchReserveMs = 600_000;

/**
 * Does the kills of a run while the stream is watched for a broken line of `abortOn`. No further kill is made once one was seen. A
 * run whose `abortOn` names none that the stream tells is not watched.
 */
export async function whileWatched<T>(
  { resolved, liveness }: KillContext,
  story: Story,
  kills: () => Promise<T>,
): Promise<T> {
  const { experiment } = resolved;
  if (!abortsOn(experiment, streamFigureIds) || story.steering.injectingStopped) return await kills();
  const { schedule } = experiment;
  const left = killsOf(schedule, story.steering) - story.steering.next;
  const longestMs =
    (left * schedule.intervalSeconds + reserveSeconds + schedule.recoveryTimeoutSeconds) * 1_000;
  const planned = () => killsOf(schedule, story.steering);
  const heed = async (): Promise<void> => {
    for (;;) {
      const kills = planned();
      const summary = `stream: ${experiment.abortOn.join(', ')}`;
      const watch = watchStep(longestMs + watchReserveMs, summary);
      const broken = await watch.watchSlo({ resolved, liveness, kills });
      // Where the run was extended meanwhile, all its outages together may take more.
      if (planned() > kills) continue;
      // Here, and not once this has ended: what else has come in this task of the workflow must find it.
      stopForSlo(story, broken);
      return;
    }
  };
  const watch = new CancellationScope();
  const watched = watch.run(heed).catch((error: unknown) => {
    // Kills that nobody would hear the stream's end of are not made.
    if (!isCancellation(error))
      stopInjecting(story, {
        reason: `the stream could not be watched any more: ${problemOfFailure(error).message}`,
      });
  });
  try {
    return await kills();
  } finally {
    watch.cancel();
    await watched;
  }
}

/** Judges by what a kill's own proof told. */
export function heedProof(context: KillContext, story: Story, { proof }: KillRecord): void {
  const broken = brokenOf(
    context.resolved.experiment,
    { 'time-to-new-leader': proof?.timeToNewLeaderMs, 'time-to-full-isr': proof?.timeToFullIsrMs },
    Date.now(),
  );
  if (broken) stopForSlo(story, broken);
}

/** No further kill, because a line is broken. */
export function stopForSlo(story: Story, broken: BrokenSlo): void {
  stopInjecting(story, { reason: `${brokenText(broken)} (abortOn ${broken.id})`, broken });
}

/** Does what leads to a kill; undefined as soon as there is to be none. */
export async function unlessStopped<T>(story: Story, work: () => Promise<T>): Promise<T | undefined> {
  const isStopped = () => story.steering.injectingStopped !== undefined;
  if (isStopped()) return undefined;
  const scope = new CancellationScope();
  try {
    return await scope.run(() => Promise.race([work(), condition(isStopped).then(() => undefined)]));
  } finally {
    scope.cancel();
  }
}

/** Records the kills that are not made any more; of very many, no more than a history holds. */
export function skipRest(story: Story, planned: number, deadlineOf: (index: number) => number): void {
  const { steering, kills } = story;
  const reason = `injecting was stopped: ${steering.injectingStopped?.reason ?? ''}`;
  const first = steering.next + 1;
  for (; steering.next < planned && kills.length < maxKillsOfHistory; steering.next++) {
    const deadline = new Date(deadlineOf(steering.next)).toISOString();
    kills.push({ index: steering.next, deadline, status: 'skipped', reason, retargets: 0 });
  }
  steering.next = planned;
  tell(
    story,
    'kill',
    `kill${planned > first ? `s ${first} to ${planned}` : ` ${planned}`} skipped: ${reason}`,
  );
}

function stopInjecting(story: Story, why: Omit<InjectingStopped, 'at'>): void {
  const { steering, resolved } = story;
  if (steering.injectingStopped || !resolved) return;
  const made = steering.next + (steering.round === 'proving' ? 1 : 0);
  if (made >= killsOf(resolved.experiment.schedule, steering)) return;
  steering.injectingStopped = { at: Date.now(), ...why };
  story.changes++;
  tell(story, 'kill', `no further kill: ${why.reason}`);
}
