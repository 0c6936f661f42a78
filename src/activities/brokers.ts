import { problem } from '../experiment/errors.ts';
import type { StatefulSetRef } from '../experiment/result.ts';
import type { ResolvedExperiment } from '../experiment/spec.ts';
import { type BrokerPodCandidate, mapBrokersToPods, podOfHost } from '../kafka/broker-pod.ts';
import type { Broker, KafkaPort } from '../kafka/port.ts';
import { chooseReach } from '../kafka/reach.ts';
import type { KubernetesPort } from '../kubernetes/port.ts';
import type { Pod } from '../kubernetes/workloads.ts';
import type { ActivityDependencies } from './dependencies.ts';

/** A Kafka that can be asked now, and the pods behind it. */
export interface ReachedKafka {
  kafka: KafkaPort;
  reach: 'direct' | 'port-forward';
  /** Every broker pod's FQDN with the client port. */
  bootstrap: string[];
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

/**
 * Opens a Kafka port to all brokers of the StatefulSet, directly or through the Kubernetes API.
 * The caller closes it.
 */
export async function reachKafka(
  deps: ActivityDependencies,
  experiment: ResolvedExperiment,
  statefulSet: StatefulSetRef,
  known?: 'direct' | 'port-forward',
): Promise<ReachedKafka> {
  const pods = await brokerPods(deps.kubernetes, statefulSet);
  if (pods.length === 0) {
    throw problem('KAFKA_UNREACHABLE', `StatefulSet ${statefulSet.name} has no pods`, {
      next: 'Scale the StatefulSet up, or choose another target.',
      retryable: true,
    });
  }
  const bootstrap = bootstrapOf(experiment, statefulSet);
  const { clusterDomain, port } = experiment.cluster;
  const { reach, dial } = await chooseReach({
    reach: known ?? experiment.reach,
    bootstrap,
    // Looked up at each dial: a replaced pod keeps its name but not its address.
    podOf: async (host) => {
      const now = await brokerPods(deps.kubernetes, statefulSet);
      const name = podOfHost(host, now.map(candidate), clusterDomain);
      return name ? { namespace: statefulSet.namespace, name, port } : undefined;
    },
    portForward: (pod) => deps.kubernetes.portForward(pod),
  });
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
