import { brokerPods, podsByBroker } from '../../activities/brokers.ts';
import { brokersOf, checkReplication } from '../../activities/check-kafka.ts';
import type { ActivityDependencies } from '../../activities/dependencies.ts';
import { describePermission, examine } from '../../activities/resolve.ts';
import { plannedKills } from '../../experiment/schedule.ts';
import type { ResolvedExperiment } from '../../experiment/spec.ts';
import { type BlastRadius, blastRadius } from './blast-radius.ts';
import { type OutageBound, outageBound } from './outage-bound.ts';

/** What a run would do. Nothing was made, nobody was killed, no claim was taken. */
export interface RunPlan {
  provisioner: 'existing' | 'kudo';
  namespace: string;
  statefulSet: string;
  /** Absent where the Kafka is yet to be made. */
  kafka?: { reach: 'direct' | 'port-forward'; radius: BlastRadius; outage: OutageBound };
  kills: { count: number; intervalSeconds: number; target: string; grace: string };
  steps: string[];
  permissions: string[];
  notes: string[];
  warnings: string[];
  experiment: ResolvedExperiment;
}

/** The dry run: everything that `resolve` checks, then questions to the live brokers. Throws LeaderfallError as `resolve` does. */
export async function planRun(
  deps: ActivityDependencies,
  input: unknown,
  signal: AbortSignal,
): Promise<RunPlan> {
  const nobody = { temporalNamespace: 'plan', workflowId: 'plan', runId: '00000000-plan' };
  const examined = await examine(deps, input, nobody, signal);
  const { experiment, provisioner, statefulSetName, permissions, notes } = examined;
  const { schedule, target, fault, cluster } = experiment;
  const existing =
    provisioner.name === 'existing' ? await askKafka(deps, experiment, statefulSetName) : undefined;
  const { warnings = [], ...kafka } = existing ?? {};
  return {
    provisioner: provisioner.name,
    namespace: cluster.namespace,
    statefulSet: statefulSetName,
    ...('radius' in kafka ? { kafka: kafka as RunPlan['kafka'] } : {}),
    kills: {
      count: plannedKills(schedule),
      intervalSeconds: schedule.intervalSeconds,
      target: typeof target === 'object' ? `broker ${target.broker}` : target,
      grace: fault.force ? 'none (force)' : "the pod's own",
    },
    steps: stepsOf(experiment, provisioner.name, statefulSetName),
    permissions: [...new Set(permissions.map(describePermission))],
    notes,
    warnings,
    experiment,
  };
}

async function askKafka(deps: ActivityDependencies, experiment: ResolvedExperiment, statefulSetName: string) {
  return await brokersOf(deps, experiment, statefulSetName, async ({ kafka, reach }, statefulSet) => {
    const { brokers, controller, partitions } = await kafka.metadata({ topics: 'all', timeoutMs: 5_000 });
    checkReplication(experiment, brokers.length);
    const pods = podsByBroker(experiment, brokers, await brokerPods(deps.kubernetes, statefulSet));
    const placed = new Map(
      [...pods].map(
        ([id, pod]) => [id, { name: pod.metadata?.name ?? '', node: pod.spec?.nodeName }] as const,
      ),
    );
    const radius = blastRadius(brokers, controller, partitions, placed);
    const settings = brokers[0] ? await kafka.brokerConfig(brokers[0].id) : {};
    const warnings = [...radius.warnings];
    if (brokers.length < statefulSet.replicas) {
      warnings.push(
        `Kafka lists ${brokers.length} brokers, the StatefulSet has ${statefulSet.replicas}: the guard will wait`,
      );
    }
    if (settings['delete.topic.enable'] === 'false') {
      warnings.push('delete.topic.enable=false: the stream’s topic will be emptied but stay behind');
    }
    if (settings['unclean.leader.election.enable'] === 'true') {
      warnings.push(
        'unclean.leader.election.enable=true: a kill may lose acknowledged records of other topics',
      );
    }
    return { reach, radius, outage: outageBound(experiment, settings), warnings };
  });
}

function stepsOf(experiment: ResolvedExperiment, provisioner: string, statefulSet: string): string[] {
  const { cluster, liveness, schedule, provision } = experiment;
  const kudo = provisioner === 'kudo';
  return [
    `resolve    take the claim: Lease leaderfall-${statefulSet} in ${cluster.namespace}`,
    kudo
      ? `provision  KUDO where it is missing, then Instances ${provision.zookeeper.instance} and ${provision.kafka.instance}`
      : `provision  use StatefulSet ${cluster.namespace}/${statefulSet} as it is`,
    `annotate   litmuschaos.io/chaos="true" on ${statefulSet}`,
    `liveness   pod kafka-liveness (${liveness.image}); topic with ${liveness.replicationFactor} replicas, ${liveness.ratePerSecond} records a second`,
    `kill       ${plannedKills(schedule)} times, each ${schedule.intervalSeconds} s, asked of Kafka just before`,
    `evaluate   all replicas in sync again within ${schedule.recoveryTimeoutSeconds} s, no acknowledged record lost`,
    `clean up   pod, topic, annotation, claim${kudo && !provision.keep ? ', both Instances and their volume claims' : ''}`,
  ];
}
