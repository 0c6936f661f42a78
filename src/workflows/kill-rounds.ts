import { sleep } from '@temporalio/workflow';
import type { KillContext } from '../activities/contract.ts';
import type { KillAct, KillPlan, KillRecord } from '../experiment/result.ts';
import { killDeadline, lateAfter, plannedKills } from '../experiment/schedule.ts';
import { killStep, observingStep } from './activity-options.ts';
import { type Story, tell } from './story.ts';

/** How long before a deadline the kill is prepared: connect, ask who leads, write the plan down. ms */
const leadMs = 1_000;

/** A leadership that keeps moving ends in a skipped kill, not in an endless chase. */
const maxRetargets = 5;

/**
 * The kills, one round each: timer to just before the deadline, aim, act, prove. Deadlines are absolute, so a slow round never
 * shifts the next. Gives the time (epoch ms) from which the last recovery is counted.
 */
export async function killRounds(context: KillContext, story: Story): Promise<{ lastActAt: number }> {
  const { schedule } = context.resolved.experiment;
  const planned = plannedKills(schedule);
  let lastActAt = Date.now();
  for (let index = 0; index < planned; index++) {
    const deadline = killDeadline(schedule, context.liveness.steadyAt, index);
    const last = index === planned - 1;
    const nextDeadline = killDeadline(schedule, context.liveness.steadyAt, index + 1);
    const waitMs = deadline - leadMs - Date.now();
    if (waitMs > 0) await sleep(waitMs, { summary: `until just before kill ${index + 1} of ${planned}` });

    const record = await oneKill(context, { index, deadline, until: nextDeadline - leadMs });
    if (record === 'stream-ended') {
      tell(story, 'kill', `kill ${index + 1} not made: the stream has ended`);
      return { lastActAt };
    }
    story.kills.push(record);
    if (record.act?.outcome === 'deleted' && record.plan) {
      lastActAt = record.act.requestedAt;
      tell(story, 'kill', `kill ${index + 1}: broker ${record.plan.broker}, pod ${record.plan.pod}`);
      const until = last ? lastActAt + schedule.recoveryTimeoutSeconds * 1_000 : nextDeadline - leadMs;
      await prove(context, record, record.plan, record.act, until);
    }
    tell(story, 'kill', outcomeText(record));
  }
  return { lastActAt };
}

async function oneKill(
  context: KillContext,
  round: { index: number; deadline: number; until: number },
): Promise<KillRecord | 'stream-ended'> {
  const { index, deadline } = round;
  const { schedule } = context.resolved.experiment;
  const base = { index, deadline: new Date(deadline).toISOString() };
  const skipped = (reason: string, retargets = 0): KillRecord => ({
    ...base,
    status: 'skipped',
    reason,
    retargets,
  });

  for (let retargets = 0; retargets <= maxRetargets; retargets++) {
    // The stated lateness rule: a kill that cannot begin within half an interval of its deadline is skipped, never bunched.
    const late = Date.now() - lateAfter(schedule, deadline);
    if (late > 0 && retargets === 0)
      return skipped(`${Date.now() - deadline} ms late: beyond half an interval`);
    const patience = Math.max(round.until - Date.now(), 0) + 15_000;
    const aim = await observingStep(patience).aim({ ...context, ...round });
    if (aim.outcome === 'stream-ended') return 'stream-ended';
    if (aim.outcome === 'skipped') return skipped(aim.reason, retargets);

    const { plan } = aim;
    const act = await killStep(Math.max(plan.notAfter - Date.now(), 0) + 10_000).kill({ ...context, plan });
    if (act.outcome === 'moved') continue;
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
  return skipped(`the target moved ${maxRetargets + 1} times`, maxRetargets);
}

async function prove(
  context: KillContext,
  record: KillRecord,
  plan: KillPlan,
  act: KillAct,
  until: number,
): Promise<void> {
  const patience = Math.max(until - Date.now(), 5_000) + 30_000;
  const proof = await observingStep(patience).prove({ ...context, plan, act, until });
  record.proof = proof;
  record.status = proof.proven ? 'proven' : 'unproven';
  if (!proof.proven) record.reason = proof.foreign ?? 'the death of the pod was not seen';
}

function outcomeText(record: KillRecord): string {
  const name = `kill ${record.index + 1}`;
  if (record.status === 'skipped') return `${name} skipped: ${record.reason}`;
  if (record.status === 'unproven') return `${name} not proven: ${record.reason}`;
  const { proof } = record;
  const facts = [
    proof?.exitCode === undefined ? undefined : `exit ${proof.exitCode}`,
    proof?.timeToNewLeaderMs === undefined
      ? undefined
      : `leader ${proof.newLeader} after ${proof.timeToNewLeaderMs} ms`,
    proof?.timeToFullIsrMs === undefined ? undefined : `ISR full after ${proof.timeToFullIsrMs} ms`,
  ].filter((fact) => fact !== undefined);
  return `${name} proven${facts.length > 0 ? `: ${facts.join(', ')}` : ''}`;
}
