import type { KillAct, KillPlan } from '../experiment/result.ts';
import type { KubernetesObject, KubernetesPort } from '../kubernetes/port.ts';
import type { Fault } from './fault.ts';

/** Deletes the broker's pod with the grace asked for: SIGTERM, then SIGKILL when the grace is over. */
export const deletePod: Fault = {
  kind: 'delete',
  permissions: (namespace) => [{ verb: 'delete', group: '', resource: 'pods', namespace }],
  act,
  alreadyDone,
};

async function act(
  kubernetes: KubernetesPort,
  plan: KillPlan,
  options: { gracePeriodSeconds: number; attempt: number; now: () => number },
): Promise<KillAct> {
  const requestedAt = options.now();
  if (requestedAt > plan.notAfter) {
    return {
      outcome: 'skipped',
      reason: `${requestedAt - plan.deadline} ms late, after notAfter`,
      at: requestedAt,
    };
  }
  const { gracePeriodSeconds } = options;
  const answer = await kubernetes.remove(podOf(plan), {
    uid: plan.podUid,
    gracePeriodSeconds,
    notAfter: plan.notAfter,
  });
  const answeredAt = options.now();
  if (answer.outcome !== 'deleted') {
    // The pod of the plan is gone. On a first attempt somebody else did it, and its successor is not ours to kill.
    if (options.attempt === 1) {
      return { outcome: 'moved', reason: `pod ${plan.pod} was gone before the kill`, at: answeredAt };
    }
    return { outcome: 'deleted', requestedAt, answeredAt, gracePeriodSeconds, repeated: true };
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

async function alreadyDone(kubernetes: KubernetesPort, plan: KillPlan): Promise<KillAct | undefined> {
  const pod = await kubernetes.read(podOf(plan));
  const same = pod?.metadata?.uid === plan.podUid;
  const apiTime = same ? deletionAccepted(pod) : undefined;
  if (same && !apiTime) return undefined;
  // The exact time is lost with the first attempt; the API server's stamp (whole seconds) or the deadline stand in for it.
  const at = apiTime ? Math.max(Date.parse(apiTime), plan.deadline) : plan.deadline;
  return {
    outcome: 'deleted',
    requestedAt: at,
    answeredAt: at,
    gracePeriodSeconds: Number(pod?.metadata?.deletionGracePeriodSeconds ?? 0),
    repeated: true,
    ...(apiTime ? { apiTime } : {}),
  };
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
