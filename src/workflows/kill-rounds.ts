import { CancelledFailure } from '@temporalio/workflow';
import type { Activities, Aim, KillContext, Proven } from '../activities/contract.ts';
import { targetText } from '../experiment/describe.ts';
import { type GuardWait, type KillRecord, wasCarriedOut } from '../experiment/kill-record.ts';
import { type KillSchedule, killDeadline, latenessMs, mostLateSeconds } from '../experiment/schedule.ts';
import { shortLine } from '../experiment/short-line.ts';
import { heldFor, killsOf } from '../experiment/steering.ts';
import { heedProof, skipRest, stopForSlo, unlessStopped, whileWatched } from './abort-on.ts';
import { aimStep, proveStep } from './activity-options.ts';
import { continueWhereDue } from './continue-run.ts';
import { takeRecoveries, unseenOfLast } from './late-recoveries.ts';
import { settledKill, whyLost } from './lost-step.ts';
import { beginDeadlines, noteStop } from './steer.ts';
import { type Story, tell } from './story.ts';
import { takePartWhereDue } from './take-parts.ts';
import { leadMsOf, untilDue } from './until-due.ts';

/** A death takes less to be seen where nothing is away. ms */
const shortestProofMs = 3_000;

/** A leadership that keeps moving ends in a skipped kill, not in an endless chase. */
const maxRetargets = 5;

/**
 * The kills, one round each: timer to just before the deadline, aim, act, prove. Deadlines are absolute, so a slow round never
 * shifts the next; only a pause does. Gives the time (epoch ms) from which the last recovery is counted.
 */
export async function killRounds(
  input: unknown,
  context: KillContext,
  story: Story,
): Promise<{ lastActAt: number }> {
  return await whileWatched(context, story, () => rounds(input, context, story));
}

async function rounds(input: unknown, context: KillContext, story: Story): Promise<{ lastActAt: number }> {
  const { schedule } = context.resolved.experiment;
  const { steering } = story;
  const leadMs = leadMsOf(context.resolved);
  const planned = () => killsOf(schedule, steering);
  const deadlineOf = (index: number) =>
    killDeadline(schedule, context.liveness.steadyAt + steering.shiftMs, index);
  beginDeadlines(story);
  while (steering.next < planned()) {
    if (steering.injectingStopped) {
      skipRest(story, planned(), deadlineOf);
      break;
    }
    const index = steering.next;
    takePartWhereDue(context, story);
    await continueWhereDue(input, context, story, deadlineOf(index));
    const deadline = await untilDue(story, schedule, () => steering.killNowAt ?? deadlineOf(index), leadMs);
    const nextDeadline = deadlineOf(index + 1);
    const until = nextDeadline - leadMs;
    const record = await oneRound(context, story, {
      index,
      deadline,
      until,
      ...distance(story, schedule, deadline),
    });
    if (record === 'held' || record === 'stopped') continue;
    if (record === 'stream-ended') return { lastActAt: story.lastActAt ?? Date.now() };
    const made = wasCarriedOut(record.act) ? record.act : undefined;
    const unseen = unseenOfLast(story, made?.requestedAt);
    story.kills.push(record);
    if (made && record.plan) {
      story.lastActAt = made.answeredAt;
      steering.round = 'proving';
      tell(story, 'kill', `kill ${index + 1}: broker ${record.plan.broker}, pod ${record.plan.pod}`);
      const last = index === planned() - 1;
      const lookUntil = last ? story.lastActAt + schedule.recoveryTimeoutSeconds * 1_000 : until;
      await prove(context, story, record, { plan: record.plan, act: made, until: lookUntil, unseen });
      heedProof(context, story, record);
    }
    tell(story, 'kill', outcomeText(record));
    steering.next = index + 1;
    // At once: whoever asks meanwhile how many kills are made must not take the one that was proven for two.
    if (steering.next < planned()) steering.round = 'waiting';
    delete steering.killNowAt;
    delete steering.waited;
  }
  return { lastActAt: story.lastActAt ?? Date.now() };
}

/** A kill that was late or that the guard had held is not followed by the next one at once, unless a person wants it now. */
function distance(
  { steering, lastActAt }: Story,
  schedule: KillSchedule,
  deadline: number,
): { notBefore?: number } {
  if (lastActAt === undefined || steering.killNowAt !== undefined) return {};
  const notBefore = lastActAt + mostLateSeconds(schedule) * 1_000;
  return notBefore > deadline ? { notBefore } : {};
}

/** Times of one round, epoch ms. */
type Round = Pick<Parameters<Activities['aim']>[0], 'index' | 'deadline' | 'until' | 'notBefore'>;

/** One kill as people and the clock let it be: skipped on request, held by a pause, or aimed at and made. */
async function oneRound(
  context: KillContext,
  story: Story,
  due: Round,
): Promise<KillRecord | 'held' | 'stopped' | 'stream-ended'> {
  const { steering } = story;
  const skipped = (reason: string): KillRecord => ({
    index: due.index,
    deadline: new Date(due.deadline).toISOString(),
    status: 'skipped',
    reason,
    retargets: 0,
  });
  if (steering.injectingStopped) return 'stopped';
  if (steering.paused) {
    const { actor, reason } = steering.paused;
    return skipped(`paused by ${actor} (${reason}) until the run had no time left to wait`);
  }
  if (steering.skipNext) {
    const { actor, reason } = steering.skipNext;
    delete steering.skipNext;
    return skipped(`skipped by ${actor}: ${reason}`);
  }
  return await oneKill(context, story, due);
}

async function oneKill(
  context: KillContext,
  story: Story,
  round: Round,
): Promise<KillRecord | 'held' | 'stopped' | 'stream-ended'> {
  const { steering } = story;
  const { index, deadline } = round;
  const { schedule } = context.resolved.experiment;
  const name = `kill ${index + 1}/${killsOf(schedule, steering)}`;
  const base = { index, deadline: new Date(deadline).toISOString() };
  const skipped = (reason: string, retargets = 0): KillRecord => ({
    ...base,
    status: 'skipped',
    reason,
    retargets,
  });

  let movedBy = '';
  for (let retargets = 0; retargets <= maxRetargets; retargets++) {
    // By the rule of `schedule.late`; kills are never bunched. What the guard waited is not lateness.
    const late = Date.now() - deadline - (steering.waited?.guardWaitMs ?? 0);
    if (late > latenessMs(schedule) && retargets === 0)
      return skipped(`${late} ms late: more than ${latenessMs(schedule) / 1_000} s`);
    const patience = Math.max(round.until - Date.now(), 0) + 15_000;
    const { shiftMs, waited } = steering;
    const began = Math.max(deadline, Date.now());
    steering.round = 'aiming';
    let lost = false;
    const aiming = () =>
      aimStep(patience, `${name}: who is ${targetText(context.resolved.experiment.target)}, may it die`)
        .aim({
          ...context,
          ...round,
          ...(waited ? { waited } : {}),
        })
        .catch((error: unknown): Aim => {
          const why = whyLost(error);
          if (why === undefined) throw error;
          lost = true;
          return { outcome: 'skipped', reason: `${Date.now() - deadline} ms late: ${why}` };
        });
    const aim = await unlessStopped(story, aiming);
    // Both may have come in one task of the workflow.
    if (!aim || steering.injectingStopped) return 'stopped';
    if (aim.outcome === 'stream-ended') {
      tell(story, 'kill', `kill ${index + 1} not made: the stream has ended: ${aim.reason}`);
      return 'stream-ended';
    }
    // Asked for while the guard was waiting: nothing has been done yet, and what was asked for comes first.
    const moved = steering.shiftMs - shiftMs + heldFor(steering, Date.now());
    if (steering.paused || steering.skipNext || (moved > 0 && aim.outcome === 'skipped')) {
      if (!lost) steering.waited = waitedUntilHeld(aim, waited, { began, moved });
      return 'held';
    }
    if (aim.outcome === 'skipped') return skipped(aim.reason, retargets);

    const { plan } = aim;
    steering.round = 'killing';
    const what = `${name}: ${plan.pod}, broker ${plan.broker}${plan.broker === plan.leader ? `, leader of ${context.liveness.topic}` : ''}`;
    const kills = killsOf(schedule, steering);
    const act = await settledKill({ ...context, kills }, plan, shortLine(what));
    steering.round = 'aiming';
    if (!act) {
      const reason =
        'whether it was made is not known: its step ran out of time, and so did a look at the pod';
      return { ...base, status: 'unproven', plan, reason, retargets };
    }
    if (act.outcome === 'locked') {
      noteStop(story, act.by);
      throw new CancelledFailure('locked');
    }
    if (act.outcome === 'slo-broken') {
      stopForSlo(story, act.broken);
      return 'stopped';
    }
    if (act.outcome === 'moved') {
      const { guardWaitMs, guardReasons } = plan;
      steering.waited = { guardWaitMs, guardReasons };
      movedBy = act.reason;
      continue;
    }
    if (act.outcome === 'skipped') return { ...skipped(act.reason, retargets), plan, act };
    const due = plan.deadline + plan.guardWaitMs;
    return {
      ...base,
      status: 'unproven',
      plan,
      act,
      retargets,
      latenessMs: Math.max(0, act.requestedAt - due),
    };
  }
  return skipped(`the target moved ${maxRetargets + 1} times; at last ${movedBy}`, maxRetargets);
}

/**
 * What the guard had a kill wait that people then held. `began`: from when it could, epoch ms; `moved`: by how much a pause has moved
 * the deadline meanwhile, ms, which is counted there.
 */
function waitedUntilHeld(
  aim: Exclude<Aim, { outcome: 'stream-ended' }>,
  before: GuardWait | undefined,
  { began, moved }: { began: number; moved: number },
): GuardWait {
  const { guardWaitMs, guardReasons } =
    aim.outcome === 'aimed'
      ? aim.plan
      : {
          guardWaitMs: (before?.guardWaitMs ?? 0) + Date.now() - began,
          guardReasons: [...(before?.guardReasons ?? []), aim.reason],
        };
  return { guardWaitMs: Math.max(0, guardWaitMs - moved), guardReasons };
}

async function prove(
  context: KillContext,
  story: Story,
  record: KillRecord,
  {
    plan,
    act,
    until,
    unseen = [],
  }: Pick<Parameters<Activities['prove']>[0], 'plan' | 'act' | 'until' | 'unseen'>,
): Promise<void> {
  // A kill that was late is given the time to be seen all the same; the next one is then late by no more than that.
  const lookUntil = Math.max(until, Date.now() + shortestProofMs);
  const patience = lookUntil - Date.now() + 30_000;
  const summary = `kill ${plan.index + 1}: proof of death, new leader, full ISR`;
  const request = { ...context, plan, act, until: lookUntil, ...(unseen.length > 0 ? { unseen } : {}) };
  const {
    stream,
    recoveries = [],
    ...proof
  } = await proveStep(patience, summary, context.resolved.experiment.schedule)
    .prove(request)
    .catch((error: unknown): Proven => {
      const why = whyLost(error);
      if (why === undefined) throw error;
      return { proven: false, evidence: [`the proof ran out of its time: ${why}`] };
    });
  if (stream) story.stream = stream;
  takeRecoveries(story, recoveries);
  record.proof = proof;
  record.status = proof.proven ? 'proven' : 'unproven';
  if (!proof.proven) record.reason = proof.foreign ?? proof.evidence[0] ?? 'the death was not seen';
}

function outcomeText(record: KillRecord): string {
  const name = `kill ${record.index + 1}`;
  if (record.status === 'skipped') return `${name} skipped: ${record.reason}`;
  if (record.status === 'unproven') return `${name} not proven: ${record.reason}`;
  const { proof } = record;
  const facts = [
    proof?.death,
    proof?.exitCode === undefined ? undefined : `exit ${proof.exitCode}`,
    proof?.timeToNewLeaderMs === undefined
      ? undefined
      : `leader ${proof.newLeader} after ${proof.timeToNewLeaderMs} ms`,
    proof?.timeToFullIsrMs === undefined ? undefined : `ISR full after ${proof.timeToFullIsrMs} ms`,
  ].filter((fact) => fact !== undefined);
  return `${name} proven${facts.length > 0 ? `: ${facts.join(', ')}` : ''}`;
}
