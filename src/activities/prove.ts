import { type KillProof, wasCarriedOut } from '../experiment/result.ts';
import { pause } from '../kubernetes/wait.ts';
import type { Pod } from '../kubernetes/workloads.ts';
import type { Observation, ObserverReport } from '../liveness/protocol.ts';
import type { Activities } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { observerReport } from './liveness-http.ts';
import { runStep } from './step.ts';

type ProveRequest = Parameters<Activities['prove']>[0];

/** The observer keeps every change with its time: asking it once a second loses nothing. ms */
const lookMs = 1_000;

/** Watches death, new leader and recovery until all is proven or the time is over. */
export function makeProve(deps: ActivityDependencies): Activities['prove'] {
  return (request) =>
    runStep('kill', async ({ signal, progress }) => {
      const watch = watchDeath(deps, request, signal);
      try {
        for (;;) {
          const observer = await observerReport(deps.kubernetes, request.liveness, observerSince(request));
          const proof = proofOf(request, watch.seen(), observer);
          progress(progressOf(request, proof));
          const over = Date.now() + lookMs > request.until;
          if (over || isWhole(request, proof, watch.seen())) return proof;
          await pause(lookMs, signal);
        }
      } finally {
        watch.stop();
      }
    });
}

/** What the API server showed of the pod of the plan and of its successor. */
interface SeenDeath {
  goneAt?: number;
  terminatingAt?: number;
  exitCode?: number;
  exitReason?: string;
  evicted?: string;
  replacementUid?: string;
  replacementRestarts?: number;
}

function watchDeath(deps: ActivityDependencies, request: ProveRequest, signal: AbortSignal) {
  const { plan } = request;
  const seen: SeenDeath = {};
  const ended = new AbortController();
  const both = AbortSignal.any([signal, ended.signal]);
  const kind = { apiVersion: 'v1', kind: 'Pod', namespace: plan.namespace };
  const options = { field: `metadata.name=${plan.pod}`, resourceVersion: plan.resourceVersion, signal: both };
  const follow = async () => {
    for await (const { type, object } of deps.kubernetes.watch<Pod>(kind, options)) {
      if (object.metadata?.uid === plan.podUid) noteVictim(seen, object, type === 'DELETED');
      else {
        seen.goneAt ??= Date.now();
        seen.replacementUid = object.metadata?.uid;
        seen.replacementRestarts = Math.max(
          0,
          ...(object.status?.containerStatuses ?? []).map((container) => container.restartCount),
        );
      }
    }
  };
  const following = follow().catch((error: unknown) =>
    deps.log.warn({ error, pod: plan.pod }, 'the watch on the victim ended'),
  );
  return {
    seen: () => seen,
    stop: () => {
      ended.abort();
      void following;
    },
  };
}

function noteVictim(seen: SeenDeath, pod: Pod, deleted: boolean): void {
  if (deleted) seen.goneAt ??= Date.now();
  if (pod.metadata?.deletionTimestamp) seen.terminatingAt ??= Date.now();
  if (pod.status?.reason === 'Evicted') seen.evicted = pod.status.message ?? 'Evicted';
  for (const { state } of pod.status?.containerStatuses ?? []) {
    // Of several containers, the broker is the one that a signal or its own shutdown ended with the pod; the last word wins
    // only where it says more than an exporter's plain end.
    const exit = state?.terminated;
    if (exit && (seen.exitCode === undefined || exit.exitCode > seen.exitCode)) {
      seen.exitCode = exit.exitCode;
      seen.exitReason = exit.reason;
    }
  }
}

/** From a little before the request, in the observer's own clock as far as it is known. */
function observerSince({ plan, act }: ProveRequest): number {
  return (wasCarriedOut(act) ? act.requestedAt : plan.deadline) - 10_000;
}

/** Puts the two views together. Times of the observer are corrected by the difference of the clocks. */
export function proofOf(
  request: ProveRequest,
  seen: SeenDeath,
  observer: ObserverReport | undefined,
): KillProof {
  const { plan, act } = request;
  if (!wasCarriedOut(act)) return { proven: false, evidence: ['there was no act'] };
  const skew = observer ? observer.now - Date.now() : 0;
  const at = (observation: Observation) => observation.at - skew;
  // Whatever the observer saw up to a clock's uncertainty before the request belongs to it.
  const after = (observer?.observations ?? []).filter(
    (observation) => at(observation) >= act.requestedAt - 50,
  );
  const processGone = after.find(({ kind, broker }) => kind === 'broker-gone' && broker === plan.broker);
  const newLeader = after.find(
    ({ kind, broker }) => kind === 'leader' && broker !== plan.leader && broker !== -1,
  );
  const fullIsr = fullIsrAt(plan.replicas.length, after, at);
  const evidence: string[] = [];
  if (seen.goneAt) evidence.push(`pod ${plan.pod} (uid ${plan.podUid}) is gone from the API server`);
  if (seen.exitCode !== undefined)
    evidence.push(`a container ended with exit code ${seen.exitCode} (${seen.exitReason})`);
  if (processGone) evidence.push(`broker ${plan.broker} closed the observer’s held connection`);
  const led = plan.broker === plan.leader;
  if (newLeader && led) evidence.push(`broker ${newLeader.broker} leads in epoch ${newLeader.leaderEpoch}`);
  const foreign = seen.evicted ? `the pod was evicted: ${seen.evicted}` : act.doubt;
  const since = (time: number) => Math.max(0, Math.round(time - act.requestedAt));
  return {
    // The pod with the plan's UID is gone, or its process is: then it was this broker that died.
    proven:
      foreign === undefined &&
      (seen.goneAt !== undefined || (processGone !== undefined && seen.terminatingAt !== undefined)),
    evidence,
    ...(seen.goneAt ? { podGoneAt: seen.goneAt } : {}),
    ...(processGone ? { processGoneAt: Math.round(at(processGone)) } : {}),
    ...(seen.exitCode === undefined ? {} : { exitCode: seen.exitCode, exitReason: seen.exitReason }),
    ...(newLeader && led
      ? {
          newLeader: newLeader.broker,
          newLeaderAt: Math.round(at(newLeader)),
          newLeaderEpoch: newLeader.leaderEpoch,
          timeToNewLeaderMs: since(at(newLeader)),
        }
      : {}),
    ...(fullIsr === undefined ? {} : { timeToFullIsrMs: since(fullIsr) }),
    ...(seen.replacementUid ? { replacementUid: seen.replacementUid } : {}),
    ...(seen.replacementRestarts === undefined ? {} : { replacementRestarts: seen.replacementRestarts }),
    ...(foreign ? { foreign } : {}),
  };
}

/** When the ISR was full again after it had shrunk; undefined while it is not, or where it never shrank. */
function fullIsrAt(
  replicas: number,
  after: Observation[],
  at: (observation: Observation) => number,
): number | undefined {
  const changes = after.filter(({ kind }) => kind === 'isr');
  const last = changes.at(-1);
  const shrank = changes.some(({ isr }) => (isr?.length ?? 0) < replicas);
  return last && shrank && last.isr?.length === replicas ? at(last) : undefined;
}

/** Everything that can be seen has been seen. A single replica never leaves its ISR. */
function isWhole({ plan }: ProveRequest, proof: KillProof, seen: SeenDeath): boolean {
  const led = plan.broker === plan.leader;
  const single = plan.replicas.length === 1;
  const leaderKnown = !led || single || proof.newLeader !== undefined;
  const isrFull = single || proof.timeToFullIsrMs !== undefined || !plan.replicas.includes(plan.broker);
  return proof.proven && leaderKnown && isrFull && seen.goneAt !== undefined;
}

function progressOf({ plan }: ProveRequest, proof: KillProof): string[] {
  const text = [
    `kill ${plan.index + 1}: broker ${plan.broker}, pod ${plan.pod}`,
    proof.proven ? 'dead' : 'dying',
    proof.timeToNewLeaderMs === undefined
      ? undefined
      : `leader ${proof.newLeader} after ${proof.timeToNewLeaderMs} ms`,
    proof.timeToFullIsrMs === undefined ? 'ISR not full' : `ISR full after ${proof.timeToFullIsrMs} ms`,
  ];
  return [text.filter((part) => part !== undefined).join(', ')];
}
