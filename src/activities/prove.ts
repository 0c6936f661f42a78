import { type KillProof, wasCarriedOut } from '../experiment/kill-record.ts';
import { pause } from '../kubernetes/wait.ts';
import { brokerLog, dropBrokerLog } from './broker-log.ts';
import type { Activities, Proven } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { observerReport } from './liveness-http.ts';
import { type ProveRequest, proofOf } from './proof-of.ts';
import { recoveriesOf } from './recoveries-of.ts';
import { runStep } from './step.ts';
import { streamGlance } from './stream-glance.ts';
import { type SeenDeath, watchDeath } from './watch-death.ts';

/** The observer keeps every change with its time: asking it once a second loses nothing. ms */
const lookMs = 1_000;

/** By which the observer's clock may be behind the worker's. ms */
const uncertainMs = 10_000;

/** Watches death, new leader and recovery until all is proven or the time is over. */
export function makeProve(deps: ActivityDependencies): Activities['prove'] {
  return (request) =>
    runStep('kill', async ({ signal, progress }) => {
      const watch = watchDeath(deps, request.plan, signal);
      try {
        for (;;) {
          const observer = await observerReport(deps.kubernetes, request.liveness, observerSince(request));
          const log = brokerLog(deps, request.plan);
          const proof = proofOf(request, watch.seen(), observer, log?.log);
          progress(progressOf(request, proof));
          const over = Date.now() + lookMs > request.until;
          if (over || isWhole(request, proof, watch.seen(), log?.ended ?? true)) {
            const stream = await streamGlance(deps.kubernetes, request.liveness);
            const recoveries = await recoveriesBefore(deps, request);
            return { ...proof, ...(stream ? { stream } : {}), ...(recoveries ? { recoveries } : {}) };
          }
          await pause(lookMs, signal);
        }
      } finally {
        watch.stop();
        if (!signal.aborted) dropBrokerLog(deps, request.plan);
      }
    });
}

/** What the kill before came to after its own proof had ended; undefined where that is known. */
async function recoveriesBefore(
  { kubernetes }: ActivityDependencies,
  { liveness, unseen = [] }: ProveRequest,
): Promise<Proven['recoveries']> {
  const [first] = unseen;
  if (!first) return undefined;
  const observer = await observerReport(kubernetes, liveness, first.requestedAt - uncertainMs);
  return recoveriesOf(unseen, observer, Date.now());
}

/** From a little before the request, in the observer's own clock as far as it is known. */
function observerSince({ plan, act }: ProveRequest): number {
  return (wasCarriedOut(act) ? act.requestedAt : plan.deadline) - uncertainMs;
}

/** Everything that can be seen has been seen. A single replica never leaves its ISR. */
export function isWhole(
  { plan }: ProveRequest,
  proof: KillProof,
  seen: SeenDeath,
  logEnded: boolean,
): boolean {
  const led = plan.broker === plan.leader;
  const single = plan.replicas.length === 1;
  const leaderKnown = !led || single || proof.newLeader !== undefined;
  const isrFull = single || proof.timeToFullIsrMs !== undefined || !plan.replicas.includes(plan.broker);
  // Who is back in the ISR has died before, and its log ended long ago.
  const logWhole = logEnded || proof.timeToFullIsrMs !== undefined;
  const judged = proof.proven || proof.foreign !== undefined;
  // A successor that has ended as well has taken its predecessor's exit code with it.
  const endSeen = (seen.goneAt ?? seen.exitCode ?? (seen.replacementRestarts || undefined)) !== undefined;
  return judged && logWhole && leaderKnown && isrFull && endSeen;
}

function progressOf({ plan }: ProveRequest, proof: KillProof): string[] {
  const text = [
    `kill ${plan.index + 1}: broker ${plan.broker}, pod ${plan.pod}`,
    proof.proven ? `dead (${proof.death})` : 'dying',
    proof.timeToNewLeaderMs === undefined
      ? undefined
      : `leader ${proof.newLeader} after ${proof.timeToNewLeaderMs} ms`,
    proof.timeToFullIsrMs === undefined ? 'ISR not full' : `ISR full after ${proof.timeToFullIsrMs} ms`,
  ];
  return [text.filter((part) => part !== undefined).join(', ')];
}
