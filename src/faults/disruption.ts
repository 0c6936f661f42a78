import type { ResolvedExperiment } from '../experiment/spec.ts';
import type { KubernetesObject } from '../kubernetes/port.ts';
import { isReady, type Pod, type StatefulSet } from '../kubernetes/workloads.ts';

type Allowed = ResolvedExperiment['guard']['allow'][number];

/** The parts of a PodDisruptionBudget that tell what it can spare. */
export interface DisruptionBudget extends KubernetesObject {
  spec?: { selector?: LabelSelector };
  status?: { currentHealthy?: number; desiredHealthy?: number; [key: string]: unknown };
}

/** A LabelSelector as in the API; an empty one selects everything. */
interface LabelSelector {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}

/** The parts of a Node that tell a cordon. */
export interface Node extends KubernetesObject {
  spec?: { unschedulable?: boolean; [key: string]: unknown };
}

/** So long probes may take to tell that a broker is back. ms */
const probesLagMs = 60_000;

/** What there is around a broker that is to be hit. */
export interface Surroundings {
  victim: Pod;
  /** All of the StatefulSet, the victim included. */
  pods: Pod[];
  statefulSet?: StatefulSet;
  budgets: DisruptionBudget[];
  /** Those of the pods, where they may be read. */
  nodes: Node[];
}

/**
 * What others are doing to these brokers, so that a kill on top would be a second disruption. Pods that have only just ceased to be
 * ready count for nothing here: their probes lag, and Kafka's own metadata has said that all brokers are back. Each reason names the
 * word of `guard.allow` that lets it be, where there is one. Empty: the brokers are left alone. `now`: epoch ms.
 */
export function disruptions(around: Surroundings, allow: readonly Allowed[], now: number): string[] {
  const lastWord = (word: Allowed, reason: string | undefined) =>
    reason && !allow.includes(word) ? [`${reason} (guard.allow: ${word})`] : [];
  return [
    ...around.pods
      .filter(({ metadata }) => metadata?.deletionTimestamp)
      .map(({ metadata }) => `pod ${metadata?.name} is terminating`),
    ...lastWord('rollout', rolloutOf(around.statefulSet)),
    ...around.budgets.flatMap((budget) => lastWord('disruption-budget', exhausted(budget, around, now))),
    ...around.nodes.flatMap((node) => lastWord('cordoned-node', cordoned(node))),
    ...around.pods.flatMap((pod) => lastWord('unready-broker', unready(pod, now))),
  ];
}

/** Revisions differ for good under OnDelete and behind a partition; only what the controller is about to replace is a rollout. */
function rolloutOf({ metadata, spec, status }: StatefulSet = {}): string | undefined {
  if (spec?.updateStrategy?.type === 'OnDelete') return undefined;
  const { currentRevision, updateRevision, updatedReplicas = 0 } = status ?? {};
  const wanted = (spec?.replicas ?? 0) - (spec?.updateStrategy?.rollingUpdate?.partition ?? 0);
  if (currentRevision === updateRevision || updatedReplicas >= wanted) return undefined;
  return `StatefulSet ${metadata?.name} is being rolled out: ${updatedReplicas} of ${wanted} pods`;
}

/** Since when a pod that runs has not been ready, by its probes, where that is too long for a broker that Kafka has back. */
function unready({ metadata, status }: Pod, now: number): string | undefined {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  const since = ready?.lastTransitionTime;
  if (!ready || ready.status === 'True' || metadata?.deletionTimestamp || since === undefined)
    return undefined;
  if (now - new Date(since).getTime() <= probesLagMs) return undefined;
  return `pod ${metadata?.name} has not been ready since ${new Date(since).toISOString()}`;
}

/** Broker pods that are not ready yet are taken for healthy, since Kafka has them back: the budget is asked what it spares then. */
function exhausted(
  { metadata, spec, status }: DisruptionBudget,
  around: Surroundings,
  now: number,
): string | undefined {
  const { currentHealthy, desiredHealthy } = status ?? {};
  if (currentHealthy === undefined || desiredHealthy === undefined) return undefined;
  if (!selects(spec?.selector, around.victim)) return undefined;
  const lagging = around.pods.filter(
    (pod) => selects(spec?.selector, pod) && !isReady(pod) && !unready(pod, now),
  ).length;
  const healthy = currentHealthy + lagging;
  if (healthy > desiredHealthy) return undefined;
  return `PodDisruptionBudget ${metadata?.name} spares no pod: ${healthy} healthy, ${desiredHealthy} wanted`;
}

function cordoned({ metadata, spec }: Node = {}): string | undefined {
  return spec?.unschedulable ? `node ${metadata?.name} is cordoned` : undefined;
}

function selects({ matchLabels = {}, matchExpressions = [] }: LabelSelector = {}, pod: Pod): boolean {
  const labels = pod.metadata?.labels ?? {};
  const meets = ({ key, operator, values = [] }: (typeof matchExpressions)[number]) => {
    const value = labels[key];
    if (operator === 'Exists') return value !== undefined;
    if (operator === 'DoesNotExist') return value === undefined;
    const among = value !== undefined && values.includes(value);
    return operator === 'In' ? among : !among;
  };
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(meets)
  );
}
