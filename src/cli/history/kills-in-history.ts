import type { Act, Aim } from '../../activities/contract.ts';
import {
  type KillPlan,
  type KillProof,
  type KillRecord,
  type KillsElsewhere,
  wasCarriedOut,
} from '../../experiment/kill-record.ts';
import type { ChaosResult } from '../../experiment/result.ts';
import { brokenText } from '../../verdict/words.ts';
import type { RunEvent } from './run-event.ts';

/** The kills of a run, made of what its steps gave. One that was skipped before it was aimed at has left no step. */
export function killsIn(events: readonly RunEvent[]): KillRecord[] {
  const kills = new Map<number, KillRecord>();
  let plan: KillPlan | undefined;
  let due = { index: 0, deadline: 0 };
  for (const event of events) {
    if (event.kind === 'scheduled' && event.activity === 'aim') due = event.input as typeof due;
    if (event.kind === 'scheduled' && event.activity === 'kill') {
      ({ plan } = event.input as { plan: KillPlan });
      kills.set(plan.index, planned(plan, kills.get(plan.index)));
    }
    if (event.kind !== 'completed') continue;
    const record = plan && kills.get(plan.index);
    if (event.activity === 'aim') {
      const aim = event.result as Aim;
      if (aim.outcome === 'skipped') kills.set(due.index, skipped(due, aim.reason));
    } else if (event.activity === 'kill' && record) {
      acted(record, event.result as Act);
    } else if (event.activity === 'prove' && record) {
      proven(record, event.result as KillProof);
    }
  }
  return [...kills.values()].sort((a, b) => a.index - b.index);
}

function planned(plan: KillPlan, before: KillRecord | undefined): KillRecord {
  return {
    index: plan.index,
    deadline: new Date(plan.deadline).toISOString(),
    status: 'unproven',
    reason: 'the run was ended before the kill was over',
    plan,
    retargets: before?.act?.outcome === 'moved' ? before.retargets + 1 : 0,
  };
}

function skipped({ index, deadline }: { index: number; deadline: number }, reason: string): KillRecord {
  return { index, deadline: new Date(deadline).toISOString(), status: 'skipped', reason, retargets: 0 };
}

function acted(record: KillRecord, act: Act): void {
  if (act.outcome === 'slo-broken' || act.outcome === 'locked') {
    record.status = 'skipped';
    record.reason = act.outcome === 'locked' ? `locked by ${act.by.actor}` : brokenText(act.broken);
    return;
  }
  record.act = act;
  if (wasCarriedOut(act)) {
    const due = record.plan ? record.plan.deadline + record.plan.guardWaitMs : act.requestedAt;
    record.latenessMs = Math.max(0, act.requestedAt - due);
  } else if (act.outcome === 'skipped') {
    record.status = 'skipped';
    record.reason = act.reason;
  }
}

function proven(record: KillRecord, proof: KillProof): void {
  record.proof = proof;
  record.status = proof.proven ? 'proven' : 'unproven';
  if (proof.proven) delete record.reason;
  else record.reason = proof.foreign ?? proof.evidence[0] ?? 'the death was not seen';
}

/** A result with the kills that it does not carry itself, as far as the run's earlier histories hold them. */
export function withAllKills(result: ChaosResult, events: readonly RunEvent[]): ChaosResult {
  if (!result.killsElsewhere) return result;
  const { killsElsewhere, ...whole } = result;
  const kills = new Map(result.kills.map((kill) => [kill.index, kill]));
  const missing: KillsElsewhere = { ...killsElsewhere };
  const add = (kill: KillRecord) => {
    if (kills.has(kill.index)) return;
    kills.set(kill.index, kill);
    missing[kill.status]--;
  };
  for (const kill of killsIn(events)) {
    add(kill);
    // What was carried was shortened; what the closing of the stream found out later stands there alone.
    const { proof, ...known } = kills.get(kill.index) ?? kill;
    const proofs = proof || kill.proof ? { proof: { ...proof, ...kill.proof } as KillProof } : {};
    kills.set(kill.index, { ...known, ...kill, ...proofs });
  }
  const made = missing.proven + missing.unproven;
  const last = Math.max(...kills.keys());
  const gaps = Array.from({ length: last }, (_, index) => index).filter((index) => !kills.has(index));
  // Where nothing but skipped kills is missing, the gaps are those.
  if (made === 0 && gaps.length === missing.skipped)
    for (const index of gaps) add(skipped(dueOf(index, result), 'it was late, or somebody asked for it'));
  const found = [...kills.values()].sort((a, b) => a.index - b.index);
  const complete = Object.values(missing).every((count) => count === 0);
  return { ...whole, kills: found, ...(complete ? {} : { killsElsewhere: missing }) };
}

/** When a kill was due that left no trace, by the first one's deadline. */
function dueOf(index: number, { kills, experiment }: ChaosResult): { index: number; deadline: number } {
  const [first] = kills;
  const intervalMs = (experiment?.schedule.intervalSeconds ?? 0) * 1_000;
  return { index, deadline: Date.parse(first?.deadline ?? '') + (index - (first?.index ?? 0)) * intervalMs };
}
