import { problem } from '../experiment/errors.ts';
import type { StatefulSetRef } from '../experiment/result.ts';
import type { ResolvedExperiment } from '../experiment/spec.ts';
import {
  type BrokerPodCandidate,
  mapBrokersToPods,
  type PodsOfBrokers,
  podOfBroker,
  podOfHost,
} from '../kafka/broker-pod.ts';
import { addressOf } from '../kafka/metadata-pool.ts';
import type { Broker, KafkaPort } from '../kafka/port.ts';
import { chooseReach } from '../kafka/reach.ts';
import { secureDial } from '../kafka/secure-dial.ts';
import type { KubernetesPort } from '../kubernetes/port.ts';
import { type Pod, podNames, wholeSince } from '../kubernetes/workloads.ts';
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
  const { port, clusterDomain } = experiment.cluster;
  const { name, namespace } = statefulSet;
  const service = experiment.cluster.service ?? statefulSet.service ?? name;
  return podNames(statefulSet).map((pod) => `${pod}.${service}.${namespace}.svc.${clusterDomain}:${port}`);
}

/** Ids of the brokers by their bootstrap addresses, which need not be those that they advertise; of those that Kafka lists now. */
export async function brokerIdsOf(
  deps: ActivityDependencies,
  experiment: ResolvedExperiment,
  statefulSet: StatefulSetRef,
): Promise<Record<string, number>> {
  return await withKafka(deps, experiment, statefulSet, async ({ kafka }) => {
    const { brokers } = await kafka.metadata();
    const { clusterDomain, brokerPod: rule } = experiment.cluster;
    const pods = (await brokerPods(deps.kubernetes, statefulSet)).map(candidate);
    const ids = new Map(
      brokers.map((broker) => [podOfBroker(broker, { pods, clusterDomain, rule }), broker.id]),
    );
    return Object.fromEntries(
      bootstrapOf(experiment, statefulSet).flatMap((address) => {
        const id = ids.get(address.slice(0, address.indexOf('.')));
        return id === undefined ? [] : [[address, id]];
      }),
    );
  });
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
  const { reach, dial: plain } = await chooseReach({
    reach: experiment.reach,
    bootstrap,
    // Looked up at each dial: a replaced pod keeps its name but not its address.
    podOf: async (host, port) => {
      const now = (await brokerPods(deps.kubernetes, statefulSet)).map(candidate);
      // Brokers cannot be asked on the way to the first of them.
      const brokersNow = async () =>
        bootstrap.includes(addressOf({ host, port })) ? [] : (await kafka.metadata()).brokers;
      const pod = await podOfAddress(experiment, { host, port }, now, brokersNow);
      return pod && { namespace: statefulSet.namespace, ...pod };
    },
    portForward: (pod) => deps.kubernetes.portForward(pod),
  });
  const dial = security ? secureDial(plain, security) : plain;
  const kafka = deps.connectKafka({ bootstrap, clientId: 'leaderfall', dial });
  return { kafka, reach, bootstrap };
}

/** The pod behind an address that a client wants to reach, and the port there; undefined where none is known. */
async function podOfAddress(
  { cluster }: ResolvedExperiment,
  { host, port }: Pick<Broker, 'host' | 'port'>,
  pods: BrokerPodCandidate[],
  brokersNow: () => Promise<Broker[]>,
): Promise<{ name: string; port: number } | undefined> {
  const { clusterDomain, brokerPod: rule } = cluster;
  const name = podOfHost(host, pods, clusterDomain);
  if (name) return { name, port };
  if (!rule) return undefined;
  // What is advertised belongs to a proxy, and so does its port: behind it the pod has its own.
  const broker = (await brokersNow()).find((one) => one.host === host && one.port === port);
  const byRule = broker && podOfBroker(broker, { pods, clusterDomain, rule });
  return byRule ? { name: byRule, port: cluster.port } : undefined;
}

/** By then a broker whose pod has got another IP is listed no more where it was. ms */
const settledMs = 30_000;

/** Of a StatefulSet's pods, all of them. */
function mapping(
  { cluster }: ResolvedExperiment,
  statefulSet: StatefulSetRef,
  brokers: Broker[],
  pods: Pod[],
): PodsOfBrokers & { brokers: Broker[] } {
  const { clusterDomain, brokerPod: rule } = cluster;
  const since = wholeSince(statefulSet, pods);
  const settled = since !== undefined && Date.now() - since > settledMs;
  return { brokers, pods: pods.map(candidate), clusterDomain, rule, settled };
}

/**
 * The pod of each broker. BROKER_UNMAPPED where one cannot be tied to a pod: retryable while a pod of the StatefulSet is away, not
 * ready or new.
 */
export function podsByBroker(
  experiment: ResolvedExperiment,
  statefulSet: StatefulSetRef,
  brokers: Broker[],
  pods: Pod[],
): Map<number, Pod> {
  const names = mapBrokersToPods(mapping(experiment, statefulSet, brokers, pods));
  const byName = new Map(pods.map((pod) => [pod.metadata?.name, pod]));
  const found = new Map<number, Pod>();
  for (const [broker, name] of names) {
    const pod = byName.get(name);
    if (pod) found.set(broker, pod);
  }
  return found;
}

/** The broker that runs in a pod; undefined where Kafka lists none that does. Throws as `podsByBroker` where that cannot be told. */
export function brokerOfPod(
  experiment: ResolvedExperiment,
  statefulSet: StatefulSetRef,
  brokers: Broker[],
  pods: Pod[],
  name: string,
): number | undefined {
  const options = mapping(experiment, statefulSet, brokers, pods);
  const found = brokers.find((broker) => podOfBroker(broker, options) === name);
  // One that is tied to no pod may be the one.
  if (!found) mapBrokersToPods(options);
  return found?.id;
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
