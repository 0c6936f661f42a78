import { brokerPods, podsByBroker } from '../../activities/brokers.ts';
import { brokersOf, checkBrokers, checkReplication, isWaitedFor } from '../../activities/check-kafka.ts';
import type { ActivityDependencies } from '../../activities/dependencies.ts';
import { describePermission, type Examined, examine } from '../../activities/resolve.ts';
import { holdsOf } from '../../activities/risks.ts';
import { targetName } from '../../experiment/describe.ts';
import { problemOf } from '../../experiment/errors.ts';
import type { Death, OutageBound } from '../../experiment/kill-record.ts';
import { policyReasons } from '../../experiment/policy.ts';
import { plannedKills } from '../../experiment/schedule.ts';
import { type SloLimit, sloLimits } from '../../experiment/slo.ts';
import type { ResolvedExperiment } from '../../experiment/spec.ts';
import { streamText } from '../../experiment/stream-options.ts';
import { faultOf } from '../../faults/all-faults.ts';
import { type Hold, holdText, isPartial } from '../../faults/cluster-guard.ts';
import { outageBound } from '../../faults/outage-bound.ts';
import type { Pod } from '../../kubernetes/workloads.ts';
import { type BlastRadius, blastRadius } from './blast-radius.ts';
import { settingWarnings } from './setting-warnings.ts';

/** What a death that the fault may bring should cost at most. */
export type ExpectedOutage = OutageBound & { death: Death };

/** What a run would do. Nothing was made, nobody was killed, no claim was taken. */
export interface RunPlan {
  provisioner: 'existing' | 'kudo';
  namespace: string;
  statefulSet: string;
  /** The Kafka is there and used as it is; false: the run makes it. */
  isThere: boolean;
  /** Absent where the Kafka is yet to be made, or does not answer and would be waited for. */
  kafka?: {
    reach: 'direct' | 'port-forward';
    radius: BlastRadius;
    outages: ExpectedOutage[];
    /** What the guard would hold a kill for, by broker, with all partitions that it is about. */
    holds: (Hold & { broker: number })[];
  };
  kills: { count: number; intervalSeconds: number; target: string; fault: string };
  /** Every limit that the verdict will rest on, defaults included. */
  slo: SloLimit[];
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
  const { killTimes, ...policy } = deps.policy;
  const examined = await examine({ ...deps, policy }, input, nobody, signal);
  const { experiment, provisioner, statefulSetName, permissions, notes } = examined;
  const { schedule, target, cluster } = experiment;
  const fault = faultOf(experiment);
  const { kafka, warnings } = examined.isThere ? await askKafka(deps, examined, signal) : { warnings: [] };
  // A plan is made beforehand; a run that is started then may find them open.
  const shut = policyReasons(
    killTimes ? { killTimes } : {},
    { namespace: cluster.namespace, statefulSet: statefulSetName },
    Date.now(),
  );
  return {
    provisioner: provisioner.name,
    namespace: cluster.namespace,
    statefulSet: statefulSetName,
    isThere: examined.isThere,
    ...(kafka ? { kafka } : {}),
    kills: {
      count: plannedKills(schedule),
      intervalSeconds: schedule.intervalSeconds,
      target: targetName(target),
      fault: `${fault.kind}: ${fault.does}`,
    },
    slo: sloLimits(experiment),
    steps: stepsOf(examined),
    permissions: [...new Set(permissions.map(describePermission))],
    notes,
    warnings: [...shut, ...warnings],
    experiment,
  };
}

/** What the brokers say, with warnings about them. */
type Asked = Pick<RunPlan, 'kafka' | 'warnings'>;

/** A run waits for brokers of an Instance that is there; a plan does not. */
async function askKafka(deps: ActivityDependencies, examined: Examined, signal: AbortSignal): Promise<Asked> {
  try {
    return await askBrokers(deps, examined, signal);
  } catch (error) {
    if (!isWaitedFor(examined.provisioner.name, error)) throw error;
    return { warnings: [`the run will wait for the brokers: ${problemOf(error).message}`] };
  }
}

async function askBrokers(
  deps: ActivityDependencies,
  { experiment, statefulSetName, seesNodes }: Examined,
  signal: AbortSignal,
): Promise<Asked> {
  return await brokersOf(deps, experiment, statefulSetName, async ({ kafka, reach }, statefulSet) => {
    const { brokers, controller, partitions } = await kafka.metadata({ topics: 'all', timeoutMs: 5_000 });
    // A broker that is on its way back makes no replication impossible.
    checkReplication(experiment, statefulSet.replicas);
    await checkBrokers(deps.kubernetes, experiment, kafka, statefulSet, signal);
    const all = await brokerPods(deps.kubernetes, statefulSet);
    const pods = podsByBroker(experiment, statefulSet, brokers, all);
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
    const holds: (Hold & { broker: number })[] = [];
    const minInsync = new Map<string, number>();
    for (const [broker, pod] of pods) {
      // Before the stream's consumer has run there may be no such topic to see.
      const allow = [...experiment.guard.allow, 'partial-view' as const];
      const risked = { broker, pod, pods: all, statefulSet, allow, seesNodes };
      const found = await holdsOf(deps, kafka, risked, minInsync);
      holds.push(...found.map((hold) => ({ broker, ...hold })));
      if (found.length > 0)
        warnings.push(`the guard would hold a kill of broker ${broker}: ${found.map(holdText).join('; ')}`);
    }
    if (isPartial(partitions) && !experiment.guard.allow.includes('partial-view')) warnings.push(partialView);
    warnings.push(...settingWarnings(settings, experiment));
    const outages = outagesOf(experiment, settings, podGrace(pods));
    return { kafka: { reach, radius, outages, holds }, warnings };
  });
}

const partialView =
  'topic __consumer_offsets is not listed: unless no consumer group was ever here, the user may not Describe all topics, and the guard would hold every kill (guard.allow: partial-view)';

function outagesOf(
  experiment: ResolvedExperiment,
  settings: Record<string, string>,
  podSeconds: number,
): ExpectedOutage[] {
  const fault = faultOf(experiment);
  const { target } = experiment;
  // Whom a random kill or one of a broker by its id or pod will hit may lead as well.
  const role = target === 'follower' ? 'follower' : 'leader';
  const dying = {
    graceSeconds: fault.grace(experiment, podSeconds),
    role,
    controller: target === 'controller',
  } as const;
  return fault.deaths.map((death) => ({ death, ...outageBound({ ...dying, death }, settings) }));
}

/** The longest grace period of the brokers' pods; 30 s is Kubernetes' own default. */
function podGrace(pods: Map<number, Pod>): number {
  return Math.max(...[...pods.values()].map(({ spec }) => Number(spec?.terminationGracePeriodSeconds ?? 30)));
}

function stepsOf({ experiment, provisioner, statefulSetName: statefulSet, makes }: Examined): string[] {
  const { cluster, liveness, schedule, provision } = experiment;
  const { zookeeper, kafka } = provision;
  const used = [zookeeper.instance, kafka.instance].filter((instance) => !makes.includes(instance));
  const byKudo = [
    'KUDO where it is missing',
    ...(makes.length > 0 ? [`then ${instances(makes)}`] : []),
    ...(used.length > 0 ? [`used as found: ${instances(used)}`] : []),
  ].join(', ');
  const removed = makes.length > 0 && !provision.keep ? `, ${instances(makes)} with volume claims` : '';
  return [
    `resolve    take the claim: Lease leaderfall-${statefulSet} in ${cluster.namespace}`,
    provisioner.name === 'kudo'
      ? `provision  ${byKudo}`
      : `provision  use StatefulSet ${cluster.namespace}/${statefulSet} as it is`,
    `annotate   litmuschaos.io/chaos="true" on ${statefulSet}`,
    `liveness   pod kafka-liveness (${liveness.image}); topic with ${liveness.replicationFactor} replicas; ${streamText(liveness)}`,
    `kill       ${plannedKills(schedule)} times, each ${schedule.intervalSeconds} s, asked of Kafka just before`,
    `evaluate   all replicas in sync again within ${schedule.recoveryTimeoutSeconds} s, no acknowledged record lost`,
    `clean up   pod, topic, annotation, claim${removed}`,
  ];
}

function instances(names: string[]): string {
  return `Instance${names.length > 1 ? 's' : ''} ${names.join(' and ')}`;
}
