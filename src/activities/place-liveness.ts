import { problem } from '../experiment/errors.ts';
import { belongingOf, ownerAnnotation, runLabel } from '../experiment/identity.ts';
import { problemWithoutHosts } from '../experiment/without-hosts.ts';
import { heldClaim } from '../kubernetes/lease.ts';
import type { KubernetesObject } from '../kubernetes/port.ts';
import { pause } from '../kubernetes/wait.ts';
import type { Pod } from '../kubernetes/workloads.ts';
import { livenessPod, livenessPodName } from '../liveness/pod.ts';
import { bootstrapOf, brokerIdsOf, withKafka } from './brokers.ts';
import type { RunContext } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { readLivenessPod } from './liveness-http.ts';
import { standingOf } from './standing.ts';
import type { StepContext } from './step.ts';
import { removeStream, streamsIn } from './streams.ts';

/** A group of a run that ended is waited for so long; who has a member still is left to the janitor. ms */
const orphanMs = 2_000;

/**
 * Puts the run's liveness pod into the Kafka's namespace, or leaves the one that an earlier attempt put there. Throws CLUSTER_CLAIMED
 * where the run's claim is gone, LIVENESS_REFUSED where the pod may not be.
 */
export async function placeLivenessPod(
  deps: ActivityDependencies,
  context: RunContext,
  step: StepContext,
  deadline: number,
): Promise<void> {
  const { resolved, kafka } = context;
  const { experiment, run, expires } = resolved;
  await makeRoom(deps, context, step, deadline);
  // After the orphaned pod, whose clients would hold on to their group and might make their topic anew.
  await removeOrphanedStreams(deps, context, step);
  const brokerLabels = await labelsOfBrokers(deps, context);
  const { namespace } = experiment.cluster;
  const bootstrap = bootstrapOf(experiment, kafka.statefulSet);
  const brokerIds = await brokerIdsOf(deps, experiment, kafka.statefulSet);
  const claim = { kubernetes: deps.kubernetes, run, namespace, statefulSet: resolved.statefulSetName };
  // Whoever releases or removes the claim takes the pod along, also one that comes after that.
  const owner = await heldClaim(claim);
  const manifest = { experiment, run, bootstrap, brokerIds, expires, brokerLabels, owner };
  const pod = livenessPod({ ...manifest, now: Date.now() });
  await create(deps, pod, namespace);
}

/** Removes topics and groups of runs that ended without their clean-up. What hinders it is no reason to end the run. */
async function removeOrphanedStreams(
  deps: ActivityDependencies,
  { resolved, kafka }: RunContext,
  { signal, progress }: StepContext,
): Promise<void> {
  try {
    await withKafka(deps, resolved.experiment, kafka.statefulSet, async (reached) => {
      for (const stream of await streamsIn(reached.kafka)) {
        if (stream.runId === resolved.run.runId) continue;
        if ((await standingOf(deps, stream, Date.now())).state !== 'ended') continue;
        progress([`removing the orphaned topic ${stream.topic}`]);
        await removeStream(reached.kafka, stream, { signal, patienceMs: orphanMs });
      }
    });
  } catch (error) {
    if (signal.aborted) throw error;
    deps.log.warn({ problem: problemWithoutHosts(error) }, 'orphaned topics could not be looked for');
  }
}

/** The fixed name makes two runs collide: a live run's pod is refused, an orphan is replaced. */
async function makeRoom(
  deps: ActivityDependencies,
  context: RunContext,
  step: StepContext,
  deadline: number,
): Promise<void> {
  const { kubernetes } = deps;
  const { run, experiment } = context.resolved;
  const { namespace } = experiment.cluster;
  const ref = { namespace, pod: livenessPodName };
  const found = await readLivenessPod(kubernetes, ref);
  if (!found) return;
  const owner = found.metadata?.annotations?.[ownerAnnotation];
  if (
    found.metadata?.labels?.[runLabel] === run.runId &&
    !found.metadata.deletionTimestamp &&
    !hasEnded(found)
  )
    return;
  if (!owner) {
    throw problem(
      'LIVENESS_REFUSED',
      `a pod ${namespace}/${livenessPodName} is there that is not Leaderfall’s`,
      {
        next: 'Remove or rename it.',
      },
    );
  }
  const own = found.metadata?.labels?.[runLabel] === run.runId;
  if (!own) await endedOrRefuse(deps, found, owner);
  const pod = { apiVersion: 'v1', kind: 'Pod', namespace, name: livenessPodName };
  await kubernetes.remove(pod, { uid: found.metadata?.uid, gracePeriodSeconds: 1 });
  step.progress([`replacing the orphaned pod of ${owner}`]);
  while ((await readLivenessPod(kubernetes, ref))?.metadata?.uid === found.metadata?.uid) {
    if (Date.now() > deadline) {
      // As on a node that is lost: nobody there says that it has gone.
      throw problem('LIVENESS_REFUSED', `pod ${namespace}/${livenessPodName} of ${owner} does not go`, {
        next: `kubectl -n ${namespace} describe pod ${livenessPodName}`,
      });
    }
    await pause(200, step.signal);
  }
}

async function endedOrRefuse(deps: ActivityDependencies, { metadata }: Pod, owner: string): Promise<void> {
  const belonging = belongingOf(metadata ?? {}) ?? { runId: '', owner };
  const { state, why } = await standingOf(deps, belonging, Date.now());
  if (state === 'ended') return;
  throw problem(
    'LIVENESS_REFUSED',
    `pod ${metadata?.namespace}/${livenessPodName} belongs to the run ${owner}: ${why}`,
    { next: 'Wait for that run to end, or cancel it.', retryable: state === 'unknown' },
  );
}

/** Whether a pod has run to its end, good or bad. */
export function hasEnded(pod: Pod): boolean {
  return pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded';
}

async function create(
  deps: ActivityDependencies,
  manifest: KubernetesObject,
  namespace: string,
): Promise<void> {
  try {
    await deps.kubernetes.create(manifest);
  } catch (error) {
    const { retryable, message, evidence } = problemWithoutHosts(error);
    if (retryable) throw error;
    // Quota and admission answer 403 with their own words: no retry mends that.
    throw problem('LIVENESS_REFUSED', `the liveness pod was refused: ${message}`, {
      evidence,
      next: `kubectl -n ${namespace} get resourcequotas,limitranges; the pod meets level "restricted".`,
      cause: error,
    });
  }
}

async function labelsOfBrokers(
  deps: ActivityDependencies,
  { kafka }: RunContext,
): Promise<Record<string, string>> {
  const { namespace, name } = kafka.statefulSet;
  const found = await deps.kubernetes.read({ apiVersion: 'apps/v1', kind: 'StatefulSet', namespace, name });
  const spec = found?.spec as { selector?: { matchLabels?: Record<string, string> } } | undefined;
  return spec?.selector?.matchLabels ?? {};
}
