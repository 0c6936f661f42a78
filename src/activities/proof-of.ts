import { type CarriedOut, type KillPlan, type KillProof, wasCarriedOut } from '../experiment/kill-record.ts';
import { partitionOf } from '../experiment/outage.ts';
import { faultOf } from '../faults/all-faults.ts';
import { deathOf } from '../faults/death.ts';
import { outageBound } from '../faults/outage-bound.ts';
import type { ShutdownLog } from '../faults/shutdown-log.ts';
import type { Observation, ObserverReport } from '../liveness/protocol.ts';
import type { Activities } from './contract.ts';
import type { SeenDeath } from './watch-death.ts';

/** What is to be proven. */
export type ProveRequest = Parameters<Activities['prove']>[0];

/** Whatever the observer saw up to a clock's uncertainty before the request belongs to it. ms */
const uncertainMs = 50;

/**
 * Puts the views together: the API server's, the observer's, and the broker's own log. Times of the observer are corrected by the
 * difference of the clocks.
 */
export function proofOf(
  request: ProveRequest,
  seen: SeenDeath,
  observer: ObserverReport | undefined,
  log: ShutdownLog | undefined,
): KillProof {
  const { plan, act } = request;
  if (!wasCarriedOut(act)) return { proven: false, evidence: ['there was no act'] };
  const { experiment } = request.resolved;
  const skew = observer ? (observer.aheadMs ?? observer.now - Date.now()) : 0;
  const after = (observer?.observations ?? [])
    .map((observation) => ({ ...observation, at: observation.at - skew }))
    .filter(({ at }) => at >= act.requestedAt - uncertainMs);
  const processGone = after.find(({ kind, broker }) => kind === 'broker-gone' && broker === plan.broker);
  const newLeader = after.find(
    ({ kind, broker }) => kind === 'leader' && broker !== plan.leader && broker !== -1,
  );
  const fullIsr = fullIsrAt(plan.replicas.length, after);
  const led = plan.broker === plan.leader;
  const since = (time: number) => Math.max(0, Math.round(time - act.requestedAt));
  const { exitCode, exitReason } = seen;
  const gone = isGone(act, seen, processGone);
  const { death, because } = deathOf({
    act: act.outcome,
    gone,
    ...(act.endedAfterMs === undefined ? {} : { endedAfterMs: act.endedAfterMs }),
    ...(exitCode === undefined
      ? {}
      : { exit: { code: exitCode, ...(exitReason ? { reason: exitReason } : {}) } }),
    ...(log ? { log } : {}),
    ...handedOver(plan, after, processGone),
  });
  const foreign = foreignDoing(request, seen);
  const meant = faultOf(experiment).deaths;
  // Whoever deletes a pod kills its broker, seen how or not; a crash is proven by its kind alone.
  const byOurs = death === 'not proven' ? act.outcome === 'deleted' : meant.includes(death);
  const evidence = [...because];
  if (!byOurs && death !== 'not proven') {
    evidence.unshift(`it died by ${death}, which fault ${experiment.fault.kind} does not bring`);
  }
  if (seen.goneAt) evidence.push(`pod ${plan.pod} (uid ${plan.podUid}) is gone from the API server`);
  if (processGone) evidence.push(`broker ${plan.broker} closed the observer’s held connection`);
  // Brokers before 2.1 tell no epochs.
  const { leaderEpoch: epoch = -1 } = newLeader ?? {};
  if (newLeader && led)
    evidence.push(`broker ${newLeader.broker} leads${epoch < 0 ? '' : ` in epoch ${epoch}`}`);
  const replica = plan.replicas.includes(plan.broker);
  return {
    proven: foreign === undefined && byOurs && gone,
    evidence,
    death,
    ...(death !== 'not proven' && replica
      ? {
          expectedOutage: outageBound(
            {
              death,
              graceSeconds: act.gracePeriodSeconds,
              role: led ? 'leader' : 'follower',
              controller: plan.broker === plan.controller,
            },
            request.kafka.settings,
          ),
        }
      : {}),
    ...outageOf(observer, act.requestedAt + skew),
    ...(seen.goneAt ? { podGoneAt: seen.goneAt } : {}),
    ...(processGone ? { processGoneAt: Math.round(processGone.at) } : {}),
    ...(exitCode === undefined ? {} : { exitCode, exitReason }),
    ...(newLeader && led
      ? {
          newLeader: newLeader.broker,
          newLeaderAt: Math.round(newLeader.at),
          ...(epoch < 0 ? {} : { newLeaderEpoch: epoch }),
          timeToNewLeaderMs: since(newLeader.at),
        }
      : {}),
    ...(fullIsr === undefined ? {} : { timeToFullIsrMs: since(fullIsr) }),
    ...(seen.replacementUid ? { replacementUid: seen.replacementUid } : {}),
    ...(seen.replacementRestarts === undefined ? {} : { replacementRestarts: seen.replacementRestarts }),
    ...(foreign ? { foreign } : {}),
  };
}

/** The longest outage of the partition that kills are aimed by which reaches beyond a moment of the observer's clock. An observer of an older image tells of none. */
function outageOf(observer: ObserverReport | undefined, from: number): Pick<KillProof, 'outageMs'> {
  if (!observer?.outages) return {};
  const felt = observer.outages.filter(
    (one) => partitionOf(one) === 0 && one.at + one.ms > from - uncertainMs,
  );
  return { outageMs: Math.round(Math.max(0, ...felt.map(({ ms }) => ms))) };
}

/** The pod with the plan's UID is gone, or its process is: then it was this broker that died. */
function isGone(
  { outcome, endedAfterMs }: CarriedOut,
  seen: SeenDeath,
  processGone: Observation | undefined,
): boolean {
  if ((seen.goneAt ?? seen.exitCode ?? endedAfterMs) !== undefined) return true;
  return processGone !== undefined && (outcome === 'killed' || seen.terminatingAt !== undefined);
}

/** Somebody else's part in it; undefined where there is none. */
function foreignDoing({ act }: ProveRequest, seen: SeenDeath): string | undefined {
  if (seen.evicted) return `the pod was evicted: ${seen.evicted}`;
  if (seen.exitReason === 'OOMKilled') return 'the broker was killed for its memory';
  return wasCarriedOut(act) ? act.doubt : undefined;
}

/** Its place in the ISR a broker gives up together with its connections; a session that runs out takes seconds longer. ms */
const togetherMs = 1_000;

/** Whether the broker gave up its leadership before its process was gone, or its place in the ISR together with it. */
function handedOver(
  plan: KillPlan,
  after: Observation[],
  processGone: Observation | undefined,
): { handedOver?: boolean } {
  if (!processGone || !plan.replicas.includes(plan.broker) || plan.replicas.length === 1) return {};
  const led = plan.broker === plan.leader;
  const gaveUp = after.find(({ kind, broker, isr }) =>
    led
      ? kind === 'leader' && broker !== plan.broker && broker !== -1
      : kind === 'isr' && isr !== undefined && !isr.includes(plan.broker),
  );
  const until = processGone.at + (led ? 0 : togetherMs);
  return { handedOver: gaveUp !== undefined && gaveUp.at < until };
}

/** When the ISR was full again after it had shrunk; undefined while it is not, or where it never shrank. */
function fullIsrAt(replicas: number, after: Observation[]): number | undefined {
  const changes = after.filter(({ kind }) => kind === 'isr');
  const last = changes.at(-1);
  const shrank = changes.some(({ isr }) => (isr?.length ?? 0) < replicas);
  return last && shrank && last.isr?.length === replicas ? last.at : undefined;
}
