import type { KillAct, KillPlan } from '../experiment/kill-record.ts';
import { claimMark, markClaim } from '../kubernetes/lease.ts';
import type { KubernetesObject } from '../kubernetes/port.ts';
import { pause } from '../kubernetes/wait.ts';
import type { Fault, FaultContext } from './fault.ts';

/** Stamps have whole seconds, and the API server another clock. ms */
const stampMs = 2_000;

/**
 * For so long after notAfter, when every attempt has given its request up, one may still be on its way to the API server, or in its
 * hands. ms
 */
const onTheWayMs = 5_000;

/** What all faults that delete a pod have in common. */
export const podDeletion: Omit<Fault, 'kind' | 'does' | 'grace'> = {
  deaths: ['controlled-shutdown', 'terminated'],
  privileged: false,
  leadMs: 1_000,
  permissions: (namespace) => [{ verb: 'delete', group: '', resource: 'pods', namespace }],
  arm,
  act,
  standDown: async (context) => {
    // The mark of an attempt whose request may have been sent stays.
    if (!(await cameToAct(context))) await markClaim(claimOf(context), undefined);
  },
  alreadyDone,
};

/**
 * The mark on the claim tells a later attempt whether this one came to its request: a pod that is gone without it is somebody
 * else's doing. The first mark of a plan stays.
 */
async function arm(context: FaultContext): Promise<KillAct | undefined> {
  if (await cameToAct(context)) return undefined;
  if (await markClaim(claimOf(context), `${markOf(context.plan)}${context.attempt}`)) return undefined;
  return {
    outcome: 'skipped',
    reason: 'the claim on the cluster is not this run’s any more',
    at: context.now(),
  };
}

async function act(context: FaultContext): Promise<KillAct> {
  const { kubernetes, plan, graceSeconds: gracePeriodSeconds } = context;
  const requestedAt = context.now();
  if (requestedAt > plan.notAfter) {
    return {
      outcome: 'skipped',
      reason: `${requestedAt - plan.deadline} ms late, after notAfter`,
      at: requestedAt,
    };
  }
  const answer = await kubernetes.remove(podOf(plan), {
    uid: plan.podUid,
    gracePeriodSeconds,
    notAfter: plan.notAfter,
  });
  const answeredAt = context.now();
  if (answer.outcome !== 'deleted') {
    // Somebody else did it, or an earlier attempt whose request took its time.
    return await gone(context);
  }
  const apiTime = answer.object && deletionAccepted(answer.object);
  return {
    outcome: 'deleted',
    requestedAt,
    answeredAt,
    gracePeriodSeconds,
    repeated: false,
    ...(apiTime ? { apiTime } : {}),
  };
}

async function alreadyDone(context: FaultContext): Promise<KillAct | undefined> {
  const found = await seenDone(context);
  const { plan, signal, last = context.now() > plan.notAfter } = context;
  if (found || !last || !(await cameToAct(context))) return found;
  const aliveAt = context.now();
  await pause(plan.notAfter + onTheWayMs - aliveAt, signal);
  const done = await seenDone(context);
  if (done?.outcome !== 'deleted') return done;
  return { ...done, requestedAt: Math.max(done.requestedAt, aliveAt), answeredAt: context.now() };
}

async function seenDone(context: FaultContext): Promise<KillAct | undefined> {
  const { kubernetes, plan } = context;
  const pod = await kubernetes.read(podOf(plan));
  if (pod?.metadata?.uid !== plan.podUid) return await gone(context, pod);
  const apiTime = deletionAccepted(pod);
  if (!apiTime) return undefined;
  if (!(await cameToAct(context))) return movedBy(plan, context.now());
  const grace = Number(pod.metadata?.deletionGracePeriodSeconds ?? 0);
  const accepted = Date.parse(apiTime);
  const doubts = [
    accepted + stampMs < plan.deadline ? `its deletion was accepted at ${apiTime}, before the deadline` : '',
    grace !== context.graceSeconds ? `its grace is ${grace} s, not ${context.graceSeconds} s` : '',
  ].filter(Boolean);
  return repeated(context, Math.max(accepted, plan.deadline), { grace, apiTime, doubts });
}

/** The pod of the plan is no more. `successor`: the pod of its name that is there now. */
async function gone(context: FaultContext, successor?: KubernetesObject): Promise<KillAct> {
  const { plan } = context;
  if (!(await cameToAct(context))) return movedBy(plan, context.now());
  const made = successor?.metadata?.creationTimestamp as string | undefined;
  const early = made !== undefined && Date.parse(made) + stampMs < plan.deadline;
  const doubts = early ? [`its successor was made at ${made}, before the deadline`] : [];
  // The exact time is lost with the first attempt; the deadline stands in for it.
  return repeated(context, plan.deadline, { grace: context.graceSeconds, doubts });
}

function repeated(
  { plan }: FaultContext,
  at: number,
  { grace, apiTime, doubts }: { grace: number; apiTime?: string; doubts: string[] },
): KillAct {
  return {
    outcome: 'deleted',
    requestedAt: at,
    answeredAt: at,
    gracePeriodSeconds: grace,
    repeated: true,
    ...(apiTime ? { apiTime } : {}),
    ...(doubts.length > 0 ? { doubt: `pod ${plan.pod}: ${doubts.join('; ')}` } : {}),
  };
}

function movedBy({ pod }: KillPlan, at: number): KillAct {
  return { outcome: 'moved', reason: `pod ${pod} was gone before the kill, by somebody else’s doing`, at };
}

/** Whether an earlier attempt had come as far as its request. */
async function cameToAct(context: FaultContext): Promise<boolean> {
  if (context.attempt === 1) return false;
  const mark = (await claimMark(claimOf(context))) ?? '';
  const own = markOf(context.plan);
  return mark.startsWith(own) && Number(mark.slice(own.length)) < context.attempt;
}

function markOf({ index, podUid }: KillPlan): string {
  return `kill ${index + 1} of ${podUid}, attempt `;
}

function claimOf({ kubernetes, run, plan, statefulSet }: FaultContext) {
  return { kubernetes, run, namespace: plan.namespace, statefulSet };
}

function podOf(plan: KillPlan) {
  return { apiVersion: 'v1', kind: 'Pod', namespace: plan.namespace, name: plan.pod };
}

/** When the API server accepted the deletion, whole seconds: deletionTimestamp less the grace period. */
function deletionAccepted(pod: KubernetesObject): string | undefined {
  const stamp = pod.metadata?.deletionTimestamp;
  if (!stamp) return undefined;
  const grace = Number(pod.metadata?.deletionGracePeriodSeconds ?? 0);
  return new Date(new Date(stamp).getTime() - grace * 1_000).toISOString();
}
