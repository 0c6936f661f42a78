import { problem } from '../experiment/errors.ts';
import type { StatefulSetRef } from '../experiment/result.ts';
import type { ResolvedExperiment } from '../experiment/spec.ts';
import { type BrokerPodCandidate, mapBrokersToPods, podOfHost } from '../kafka/broker-pod.ts';
import type { Broker, KafkaPort } from '../kafka/port.ts';
import { chooseReach } from '../kafka/reach.ts';
import { secureDial } from '../kafka/secure-dial.ts';
import type { KubernetesPort } from '../kubernetes/port.ts';
import type { Pod } from '../kubernetes/workloads.ts';
import { readSecurity } from './credentials.ts';
import type { ActivityDependencies } from './dependencies.ts';

/** A Kafka that can be asked now, and the pods behind it. */
export interface ReachedKafka {
  kafka: KafkaPort;
  reach: 'direct' | 'port-forward';
  /** Every broker pod's FQDN with the client port. */
  bootstrap: string[];
}

/** How long a connection to a Kafka is kept for the next step: a kill must not begin with dialling. ms */
const keptMs = 30_000;

interface Kept {
  reached: Promise<ReachedKafka>;
  users: number;
  idle?: NodeJS.Timeout;
}

const kept = new WeakMap<ActivityDependencies, Map<string, Kept>>();

/**
 * Lends a Kafka port that is kept between the steps of a run, on connections that stay warm; dropped when a step fails with it or
 * when nobody has used it for half a minute.
 */
export async function withKafka<T>(
  deps: ActivityDependencies,
  experiment: ResolvedExperiment,
  statefulSet: StatefulSetRef,
  use: (reached: ReachedKafka) => Promise<T>,
): Promise<T> {
  const all = kept.get(deps) ?? new Map<string, Kept>();
  kept.set(deps, all);
  const { port, tls, sasl } = experiment.cluster;
  const key = JSON.stringify([statefulSet.uid, experiment.reach, port, tls, sasl]);
  const entry = all.get(key) ?? { reached: reachKafka(deps, experiment, statefulSet), users: 0 };
  all.set(key, entry);
  clearTimeout(entry.idle);
  entry.users++;
  const drop = () => {
    if (all.get(key) === entry) all.delete(key);
    if (entry.users > 0) return;
    entry.reached.then(
      ({ kafka }) => kafka.close(),
      () => {},
    );
  };
  let failed = true;
  try {
    const result = await use(await entry.reached);
    failed = false;
    return result;
  } finally {
    entry.users--;
    if (failed || all.get(key) !== entry) drop();
    else if (entry.users === 0) entry.idle = setTimeout(drop, keptMs).unref();
  }
}

/** Closes what `withKafka` keeps: a command that has looked has no next step, and would not end before. */
export async function dropKafkas(deps: ActivityDependencies): Promise<void> {
  const entries = [...(kept.get(deps)?.values() ?? [])];
  kept.delete(deps);
  for (const { idle } of entries) clearTimeout(idle);
  await Promise.allSettled(entries.map(async ({ reached }) => await (await reached).kafka.close()));
}

/** Pods that the StatefulSet owns, terminating ones included. */
export async function brokerPods(kubernetes: KubernetesPort, statefulSet: StatefulSetRef): Promise<Pod[]> {
  const { items } = await kubernetes.list<Pod>({
    apiVersion: 'v1',
    kind: 'Pod',
    namespace: statefulSet.namespace,
  });
  return items.filter((pod) => {
    const owners = (pod.metadata?.ownerReferences ?? []) as { uid?: string }[];
    return owners.some((owner) => owner.uid === statefulSet.uid);
  });
}

/** FQDN and client port of each pod that the StatefulSet will have, whether it is up or not. */
export function bootstrapOf(experiment: ResolvedExperiment, statefulSet: StatefulSetRef): string[] {
  const { service, port, clusterDomain } = experiment.cluster;
  return Array.from(
    { length: statefulSet.replicas },
    (_, ordinal) =>
      `${statefulSet.name}-${ordinal}.${service}.${statefulSet.namespace}.svc.${clusterDomain}:${port}`,
  );
}

/** Opens a Kafka port to all brokers of the StatefulSet, directly or through the Kubernetes API. */
async function reachKafka(
  deps: ActivityDependencies,
  experiment: ResolvedExperiment,
  statefulSet: StatefulSetRef,
): Promise<ReachedKafka> {
  const security = await readSecurity(deps.kubernetes, experiment);
  const pods = await brokerPods(deps.kubernetes, statefulSet);
  if (pods.length === 0) {
    throw problem('KAFKA_UNREACHABLE', `StatefulSet ${statefulSet.name} has no pods`, {
      next: 'Scale the StatefulSet up, or choose another target.',
      retryable: true,
    });
  }
  const bootstrap = bootstrapOf(experiment, statefulSet);
  const { clusterDomain, port } = experiment.cluster;
  const { reach, dial: plain } = await chooseReach({
    reach: experiment.reach,
    bootstrap,
    // Looked up at each dial: a replaced pod keeps its name but not its address.
    podOf: async (host) => {
      const now = await brokerPods(deps.kubernetes, statefulSet);
      const name = podOfHost(host, now.map(candidate), clusterDomain);
      return name ? { namespace: statefulSet.namespace, name, port } : undefined;
    },
    portForward: (pod) => deps.kubernetes.portForward(pod),
  });
  const dial = security ? secureDial(plain, security) : plain;
  return { kafka: deps.connectKafka({ bootstrap, clientId: 'leaderfall', dial }), reach, bootstrap };
}

/** The pod of each broker; BROKER_UNMAPPED where one cannot be tied to a pod. */
export function podsByBroker(
  experiment: ResolvedExperiment,
  brokers: Broker[],
  pods: Pod[],
): Map<number, Pod> {
  const { clusterDomain, brokerPod } = experiment.cluster;
  const names = mapBrokersToPods({ brokers, pods: pods.map(candidate), clusterDomain, rule: brokerPod });
  const byName = new Map(pods.map((pod) => [pod.metadata?.name, pod]));
  const found = new Map<number, Pod>();
  for (const [broker, name] of names) {
    const pod = byName.get(name);
    if (pod) found.set(broker, pod);
  }
  return found;
}

function candidate(pod: Pod): BrokerPodCandidate {
  const ips = pod.status?.podIPs?.map((entry) => entry.ip) ?? (pod.status?.podIP ? [pod.status.podIP] : []);
  return {
    name: pod.metadata?.name ?? '',
    namespace: pod.metadata?.namespace ?? '',
    hostname: pod.spec?.hostname,
    subdomain: pod.spec?.subdomain,
    ips,
  };
}
