import { claimedStatefulSet, requestAnnotation } from '../experiment/identity.ts';
import { resolveExperiment } from '../experiment/resolve.ts';
import { experimentSchema, type ResolvedExperiment } from '../experiment/spec.ts';
import { problemWithoutHosts } from '../experiment/without-hosts.ts';
import { matchingStatefulSets } from '../provisioners/existing.ts';
import { withKafka } from './brokers.ts';
import { readStatefulSet } from './check-kafka.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { type FoundRun, foundRun, type Round } from './found-run.ts';
import { removeStream, streamsIn } from './streams.ts';
import type { Trace } from './traces.ts';

/** A Kafka in which runs may have left topics and groups, and how it is reached. */
export interface KnownKafka {
  namespace: string;
  statefulSet: string;
  experiment: ResolvedExperiment;
}

/** Names one, for sets and for people. */
export function nameOf({ namespace, statefulSet }: Pick<KnownKafka, 'namespace' | 'statefulSet'>): string {
  return `${namespace}/${statefulSet}`;
}

/** Kafkas that claims name, with what their runs knew of them; then those that only a default finds. */
export async function kafkasOf(
  deps: ActivityDependencies,
  namespaces: string[],
  runs: FoundRun[],
): Promise<KnownKafka[]> {
  const kafkas = new Map<string, KnownKafka>();
  const add = (kafka: KnownKafka) => {
    if (!kafkas.has(nameOf(kafka))) kafkas.set(nameOf(kafka), kafka);
  };
  for (const trace of runs.flatMap(({ traces }) => traces)) {
    const experiment = trace.kind === 'Lease' ? requestOf(deps, trace) : undefined;
    if (experiment)
      add({ namespace: trace.namespace, statefulSet: claimedStatefulSet(trace.name), experiment });
  }
  for (const namespace of namespaces) {
    const experiment = usualExperiment(deps, namespace);
    for (const { metadata } of await matchingStatefulSets(deps.kubernetes, experiment))
      add({ namespace, statefulSet: metadata?.name ?? '', experiment });
  }
  return [...kafkas.values()];
}

/**
 * What the run of a claim was asked to do. The namespace is the claim's own, whatever is written in it: who may write Leases in one
 * namespace has no say in another.
 */
export function requestOf(
  deps: ActivityDependencies,
  { namespace, object }: Trace,
): ResolvedExperiment | undefined {
  try {
    const { experiment } = JSON.parse(object.metadata?.annotations?.[requestAnnotation] ?? '') as {
      experiment: object;
    };
    const parsed = experimentSchema.parse(experiment);
    return resolveExperiment({ ...parsed, cluster: { ...parsed.cluster, namespace } }, deps.defaults);
  } catch {
    return undefined;
  }
}

/** An experiment that names nothing but the namespace. */
export function usualExperiment({ defaults }: ActivityDependencies, namespace: string): ResolvedExperiment {
  const { target } = defaults;
  const own = target?.namespace === namespace ? {} : { namespace };
  return resolveExperiment(experimentSchema.parse({ cluster: own }), defaults);
}

/**
 * Removes topics and groups of ended runs from each Kafka, and adds to `runs` those that only a topic tells of. Gives the names of
 * the Kafkas that could not be asked.
 */
export async function sweepStreams(
  round: Round,
  kafkas: KnownKafka[],
  runs: Map<string, FoundRun>,
): Promise<Set<string>> {
  const unreached = new Set<string>();
  for (const kafka of kafkas) {
    const name = nameOf(kafka);
    round.step.progress([`looking at the topics of ${name}`]);
    try {
      await sweepKafka(round, kafka, runs);
    } catch (error) {
      const { code, message } = problemWithoutHosts(error);
      if (round.step.signal.aborted) throw error;
      if (code === 'TARGET_NOT_FOUND') continue;
      unreached.add(name);
      round.notes.push(`topics and groups of ${name} are not looked at: ${message}`);
    }
  }
  return unreached;
}

async function sweepKafka(
  { deps, step, dryRun }: Round,
  { namespace, statefulSet, experiment }: KnownKafka,
  runs: Map<string, FoundRun>,
): Promise<void> {
  const target = await readStatefulSet(deps.kubernetes, namespace, statefulSet);
  await withKafka(deps, experiment, target, async ({ kafka }) => {
    for (const stream of await streamsIn(kafka)) {
      const run = runs.get(stream.runId) ?? (await foundRun(deps, stream, []));
      runs.set(stream.runId, run);
      const { swept } = run;
      swept.found.push(`Stream ${stream.topic} of ${namespace}/${statefulSet}`);
      if (swept.state !== 'ended' || dryRun) continue;
      const { done, leftovers } = await removeStream(kafka, stream, { signal: step.signal });
      swept.done.push(...done);
      swept.leftovers.push(...leftovers);
    }
  });
}
