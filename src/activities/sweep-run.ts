import { LeaderfallError } from '../experiment/errors.ts';
import { claimedStatefulSet, keepAnnotation } from '../experiment/identity.ts';
import type { Leftover } from '../experiment/result.ts';
import type { ResolvedExperiment } from '../experiment/spec.ts';
import { problemWithoutHosts } from '../experiment/without-hosts.ts';
import { faults } from '../faults/all-faults.ts';
import { crashNamespace } from '../faults/crash/pod.ts';
import { releaseClaim, takeClaim } from '../kubernetes/lease.ts';
import { pause } from '../kubernetes/wait.ts';
import { provisioners } from '../provisioners/choose.ts';
import { restoreAnnotation } from './annotate.ts';
import { removeLivenessPod, type Undone } from './clean-up.ts';
import type { FoundRun, Round } from './found-run.ts';
import { standingBy } from './standing.ts';
import { markedRun } from './step.ts';
import { nameOf, requestOf, usualExperiment } from './sweep-kafkas.ts';
import type { Trace } from './traces.ts';

/** How long the janitor may hold a claim while a Kafka goes. s */
const claimSeconds = 1_800;

/** An object that changed between look and act is looked at so many times. */
const attempts = 3;

/** First what acts or streams: pods of faults, and the liveness pod. */
export async function removePods(round: Round, found: FoundRun): Promise<void> {
  const { kubernetes } = round.deps;
  const { run, traces } = found;
  const { signal } = round.step;
  const pods = traces.filter(({ kind }) => kind === 'Pod');
  if (pods.some(({ namespace }) => namespace === crashNamespace)) {
    for (const { kind, cleanUp } of faults) {
      await undo(round, found, { kind: 'Fault', name: kind }, async () => {
        const { done, leftovers = [] } = (await cleanUp?.({ kubernetes, run, signal })) ?? {};
        return { done: done ? [done] : [], leftovers };
      });
    }
  }
  for (const { namespace, name } of pods.filter((pod) => pod.namespace !== crashNamespace))
    await undo(round, found, { kind: 'Pod', name, namespace }, () =>
      removeLivenessPod(round.deps, { run, namespace }, round.step),
    );
}

/** After the topics: the annotation, what was installed, and the claim last. */
export async function finishRun(
  round: Round,
  found: FoundRun,
  others: { runs: FoundRun[]; unreached: Set<string> },
): Promise<void> {
  const { kubernetes } = round.deps;
  const { run, traces } = found;
  for (const { namespace, name } of traces.filter(({ kind }) => kind === 'StatefulSet'))
    await undo(round, found, { kind: 'StatefulSet annotation', name, namespace }, async () => {
      const done = await restoreAnnotation(kubernetes, run, { namespace, name });
      return done ? { done: [done] } : {};
    });
  for (const [namespace, installed] of Map.groupBy(traces.filter(isInstalled), (trace) => trace.namespace))
    await undo(round, found, { kind: 'Provision', name: installed[0]?.name ?? '', namespace }, () =>
      removeInstallation(round, found, namespace, others.runs),
    );
  for (const { namespace, name } of traces.filter(({ kind }) => kind === 'Lease'))
    await undo(round, found, { kind: 'Lease', name, namespace }, () =>
      releaseLease(round, found, { namespace, statefulSet: claimedStatefulSet(name) }, others.unreached),
    );
}

/** The claim tells how its Kafka is reached: where topics could not be asked for, it stays until they could, or until it expires. */
async function releaseLease(
  { deps }: Round,
  { run, traces }: FoundRun,
  kafka: { namespace: string; statefulSet: string },
  unreached: Set<string>,
): Promise<Undone> {
  const { kubernetes } = deps;
  const { namespace, statefulSet } = kafka;
  const expired = traces.some(({ expires }) => expires !== undefined && expires < Date.now());
  if (unreached.has(nameOf(kafka)) && !expired) {
    const target = { apiVersion: 'apps/v1', kind: 'StatefulSet', namespace, name: statefulSet };
    const reason = 'kept for the next round: its Kafka cannot be asked for topics';
    if (await kubernetes.read(target))
      return { leftovers: [{ kind: 'Lease', name: statefulSet, namespace, reason }] };
  }
  return (await releaseClaim({ kubernetes, run, namespace, statefulSet }))
    ? { done: ['claim released'] }
    : {};
}

/** A Kafka goes only under a claim of the janitor's own, so that no run can begin on it meanwhile. */
async function removeInstallation(
  round: Round,
  found: FoundRun,
  namespace: string,
  runs: FoundRun[],
): Promise<Undone> {
  const { deps, step } = round;
  const { kubernetes } = deps;
  const { run } = found;
  const experiment = experimentOf(round, found, namespace);
  const holder = runs.find(
    ({ swept, traces }) => swept.state !== 'ended' && traces.some(isClaimIn(namespace)),
  );
  if (holder) {
    const reason = `run ${holder.swept.run} has a claim in this namespace`;
    return { leftovers: found.traces.filter(isInstalled).map((trace) => leftover(trace, reason)) };
  }
  const claim = {
    kubernetes,
    run: await markedRun(deps),
    namespace,
    statefulSet: await claimable(round, found, namespace),
    durationSeconds: claimSeconds,
    expires: Date.now() + claimSeconds * 1_000,
    request: { experiment, provisioner: 'kudo' },
    isClosed: async (owner: string, namespaceId?: string) =>
      (await deps.runState(owner, namespaceId)) === 'over',
  };
  await takeClaim(claim);
  try {
    const { signal, progress } = step;
    const standing = standingBy(deps);
    const context = { kubernetes, experiment, run, expires: claim.expires, signal, progress, standing };
    const leftovers = await provisioners.kudo.remove(context);
    const what = experiment.provision.keep ? 'is kept' : 'is removed';
    return { done: [`what was installed in ${namespace} ${what}`], leftovers };
  } finally {
    await releaseClaim(claim);
  }
}

/** The StatefulSet whose claim keeps runs away from what is going to be removed. */
async function claimable({ deps }: Round, { traces }: FoundRun, namespace: string): Promise<string> {
  const lease = traces.find(isClaimIn(namespace));
  if (lease) return claimedStatefulSet(lease.name);
  const instances = traces.filter(({ kind }) => kind === 'Instance').map(({ name }) => name);
  const { items } = await deps.kubernetes.list({ apiVersion: 'apps/v1', kind: 'StatefulSet', namespace });
  const own = items.filter(({ metadata }) =>
    instances.includes(metadata?.labels?.['kudo.dev/instance'] ?? ''),
  );
  const [target] = own.filter(({ metadata }) => metadata?.labels?.['kudo.dev/operator'] !== 'zookeeper');
  return target?.metadata?.name ?? instances[0] ?? 'janitor';
}

/** What the run was asked to do, as far as it matters to what it installed. */
function experimentOf({ deps }: Round, { traces }: FoundRun, namespace: string): ResolvedExperiment {
  const lease = traces.find(isClaimIn(namespace));
  const experiment = (lease && requestOf(deps, lease)) ?? usualExperiment(deps, namespace);
  const kept = traces.some(({ object }) => object.metadata?.annotations?.[keepAnnotation] !== undefined);
  return kept ? { ...experiment, provision: { ...experiment.provision, keep: true } } : experiment;
}

function isInstalled({ kind }: Trace): boolean {
  return kind === 'Instance' || kind === 'OperatorVersion' || kind === 'Operator';
}

function isClaimIn(namespace: string): (trace: Trace) => boolean {
  return (trace) => trace.kind === 'Lease' && trace.namespace === namespace;
}

function leftover(
  { kind, namespace, name }: Pick<Trace, 'kind' | 'name'> & { namespace?: string },
  reason: string,
) {
  return { kind, name, ...(namespace ? { namespace } : {}), reason } satisfies Leftover;
}

/** One undo. What it cannot do is left over with its reason, and keeps no other from being done. */
async function undo(
  { step }: Round,
  { swept }: FoundRun,
  what: { kind: string; name: string; namespace?: string },
  work: () => Promise<Undone>,
): Promise<void> {
  step.progress([`removing ${what.kind} ${what.name} of ${swept.run}`]);
  for (let attempt = 1; ; attempt++) {
    try {
      const { done = [], leftovers = [] } = await work();
      swept.done.push(...done);
      swept.leftovers.push(...leftovers);
      return;
    } catch (error) {
      if (step.signal.aborted) throw error;
      const { message, retryable } = problemWithoutHosts(error);
      if (!(error instanceof LeaderfallError) || !retryable || attempt === attempts) {
        swept.leftovers.push(leftover(what, message));
        return;
      }
      await pause(500, step.signal);
    }
  }
}
