import { type RunIdentity, runLabel, streamOf, topicName } from '../experiment/identity.ts';
import type { Leftover } from '../experiment/result.ts';
import { problemWithoutHosts } from '../experiment/without-hosts.ts';
import { faultOf } from '../faults/all-faults.ts';
import { releaseClaim } from '../kubernetes/lease.ts';
import { pause, poll } from '../kubernetes/wait.ts';
import { livenessPodName } from '../liveness/pod.ts';
import { provisioners } from '../provisioners/choose.ts';
import { restoreAnnotation } from './annotate.ts';
import { withKafka } from './brokers.ts';
import type { Activities } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { readLivenessPod } from './liveness-http.ts';
import { standingBy } from './standing.ts';
import { runStep, type StepContext } from './step.ts';
import { removeStream } from './streams.ts';

type CleanUpRequest = Parameters<Activities['cleanUp']>[0];

/** One undo: what it did, or what it had to leave. */
export interface Undone {
  done?: string[];
  leftovers?: Leftover[];
}

/** Undoes everything in the reverse order of its making; the claim last, so that nobody moves in meanwhile. */
export function makeCleanUp(deps: ActivityDependencies): Activities['cleanUp'] {
  return (request) =>
    runStep('clean-up', async (step) => {
      const done: string[] = [];
      const leftovers: Leftover[] = [];
      const undo = async (kind: string, name: string, work: () => Promise<Undone>) => {
        step.progress([`removing ${kind} ${name}`]);
        try {
          const undone = await work();
          done.push(...(undone.done ?? []));
          leftovers.push(...(undone.leftovers ?? []));
        } catch (error) {
          const { code, message, retryable } = problemWithoutHosts(error);
          // The API server away, or an object changed between look and act: the whole step is tried again. Anything else must not
          // keep the other undos from being done.
          if ((retryable && code.startsWith('KUBERNETES_')) || step.signal.aborted) throw error;
          const { namespace } = request.resolved.experiment.cluster;
          leftovers.push({ kind, name, namespace, reason: message });
        }
      };
      const { run, experiment, expires, statefulSetName } = request.resolved;
      await undo('Fault', experiment.fault.kind, () => undoFault(deps, request, step));
      await undo('Pod', livenessPodName, () =>
        removeLivenessPod(deps, { run, namespace: experiment.cluster.namespace }, step),
      );
      await undo('Topic', topicName(run, expires), () => removeOwnStream(deps, request, step));
      await undo('StatefulSet annotation', statefulSetName, () => undoAnnotation(deps, request));
      await undo('Provision', statefulSetName, () => removeProvision(deps, request, step));
      await undo('Lease', statefulSetName, () => removeClaim(deps, request));
      return { leftovers, done };
    });
}

/** What the fault itself made. */
async function undoFault(
  { kubernetes }: ActivityDependencies,
  { resolved }: CleanUpRequest,
  { signal }: StepContext,
): Promise<Undone> {
  const { run, experiment } = resolved;
  const undone = await faultOf(experiment).cleanUp?.({ kubernetes, run, signal });
  return { ...undone, done: undone?.done ? [undone.done] : [] };
}

/** Deletes a run's liveness pod and sees it gone; leaves another run's alone. */
export async function removeLivenessPod(
  deps: Pick<ActivityDependencies, 'kubernetes'>,
  { run, namespace }: { run: Pick<RunIdentity, 'runId'>; namespace: string },
  { signal }: Pick<StepContext, 'signal'>,
): Promise<Undone> {
  const ref = { namespace, pod: livenessPodName };
  const found = await readLivenessPod(deps.kubernetes, ref);
  if (!found || found.metadata?.labels?.[runLabel] !== run.runId) return {};
  const uid = found.metadata?.uid;
  await deps.kubernetes.remove({ apiVersion: 'v1', kind: 'Pod', namespace, name: livenessPodName }, { uid });
  const gone = await poll(
    async () => ((await readLivenessPod(deps.kubernetes, ref))?.metadata?.uid === uid ? undefined : true),
    { everyMs: 200, until: Date.now() + 90_000, signal },
  );
  if (gone) return { done: [`pod ${livenessPodName} removed`] };
  return { leftovers: [{ kind: 'Pod', name: livenessPodName, namespace, reason: 'still terminating' }] };
}

/** After the pod, whose clients would otherwise hold on to it. Skipped where the whole Kafka goes. */
async function removeOwnStream(
  deps: ActivityDependencies,
  request: CleanUpRequest,
  { signal }: StepContext,
): Promise<Undone> {
  const { kafka: provisioned, resolved } = request;
  if (!provisioned || goesAway(request)) return {};
  const topic = topicName(resolved.run, resolved.expires);
  const deadline = Date.now() + 90_000;
  for (;;) {
    try {
      return await withKafka(deps, resolved.experiment, provisioned.statefulSet, async ({ kafka }) => {
        const groups = (await kafka.groups()).filter((group) => streamOf(group)?.topic === topic);
        return await removeStream(kafka, { topic, groups }, { signal });
      });
    } catch (error) {
      // Brokers may be on their way back.
      if (Date.now() > deadline)
        return { leftovers: [{ kind: 'Topic', name: topic, reason: problemWithoutHosts(error).message }] };
    }
    await pause(2_000, signal);
  }
}

/** Whether clean-up removes the Kafka itself: this run made its Instance and does not keep it. */
function goesAway({ kafka, resolved }: CleanUpRequest): boolean {
  const { provision } = resolved.experiment;
  const made = kafka?.made.some(({ kind, name }) => kind === 'Instance' && name === provision.kafka.instance);
  return made === true && !provision.keep;
}

async function undoAnnotation(deps: ActivityDependencies, request: CleanUpRequest): Promise<Undone> {
  if (!request.kafka || goesAway(request)) return {};
  const done = await restoreAnnotation(deps.kubernetes, request.resolved.run, request.kafka.statefulSet);
  return done ? { done: [done] } : {};
}

async function removeProvision(
  deps: ActivityDependencies,
  request: CleanUpRequest,
  step: StepContext,
): Promise<Undone> {
  const { experiment, run, expires, provisioner } = request.resolved;
  if (provisioner === 'existing') return {};
  const { kubernetes } = deps;
  const { signal, progress } = step;
  const standing = standingBy(deps);
  const context = { kubernetes, experiment, run, expires, signal, progress, standing };
  const leftovers = await provisioners[provisioner].remove(context);
  return {
    done: [experiment.provision.keep ? 'what was installed is kept' : 'what was installed is removed'],
    leftovers,
  };
}

async function removeClaim(deps: ActivityDependencies, { resolved }: CleanUpRequest): Promise<Undone> {
  const { namespace } = resolved.experiment.cluster;
  const { run, statefulSetName: statefulSet } = resolved;
  const released = await releaseClaim({ kubernetes: deps.kubernetes, run, namespace, statefulSet });
  return released ? { done: ['claim released'] } : {};
}
