import { problem } from '../experiment/errors.ts';
import type { Broker } from './port.ts';

/** What of a pod ties it to an advertised host. */
export interface BrokerPodCandidate {
  name: string;
  namespace: string;
  hostname?: string;
  subdomain?: string;
  ips: string[];
}

/** The pod whose FQDN (or a shorter form of it) or IP an advertised host is; undefined where none is. */
export function podOfHost(
  host: string,
  pods: BrokerPodCandidate[],
  clusterDomain: string,
): string | undefined {
  return pods.find(
    (pod) => pod.ips.includes(host) || namesOf(pod, clusterDomain).includes(host.replace(/\.$/, '')),
  )?.name;
}

/** Where pods are looked for, and the stated rule. */
export interface PodsOfBrokers {
  pods: BrokerPodCandidate[];
  clusterDomain: string;
  rule?: string | undefined;
  /** No pod is away or new: a broker that is tied to none of them stays so. */
  settled?: boolean;
}

/** The pod of a broker, by its advertised host, else by the stated rule; undefined where neither gives one. */
export function podOfBroker(
  broker: Broker,
  { pods, clusterDomain, rule }: PodsOfBrokers,
): string | undefined {
  const byRule = rule ? applyRule(rule, broker.id) : undefined;
  return podOfHost(broker.host, pods, clusterDomain) ?? pods.find((pod) => pod.name === byRule)?.name;
}

/**
 * The pod of each broker, by advertised host = pod FQDN or pod IP, else by the stated rule (`kafka-{id}`, `kafka-{id-1000}`).
 * Throws BROKER_UNMAPPED, retryable unless the pods are settled. Digits are never matched.
 */
export function mapBrokersToPods(options: PodsOfBrokers & { brokers: Broker[] }): Map<number, string> {
  const { brokers, pods, rule, settled = false } = options;
  return new Map(
    brokers.map((broker) => {
      const name = podOfBroker(broker, options);
      if (name) return [broker.id, name];
      throw problem('BROKER_UNMAPPED', `broker ${broker.id} cannot be tied to a pod`, {
        evidence: [
          `it advertises ${broker.host}:${broker.port}`,
          rule ? `rule ${rule} gives ${applyRule(rule, broker.id)}` : 'no cluster.brokerPod rule is given',
          `pods: ${pods.map((pod) => pod.name).join(', ')}`,
        ],
        next: 'Give cluster.brokerPod, for example "kafka-{id}" or "kafka-{id-1000}".',
        // A pod that is being replaced is back in a moment.
        retryable: !settled,
      });
    }),
  );
}

/** `kafka-{id-1000}` with 1002 gives `kafka-2`. */
export function applyRule(rule: string, id: number): string {
  return rule.replace(
    /\{id(?:([+-])(\d+))?\}/g,
    (_, sign: string | undefined, offset: string | undefined) => {
      const by = Number(offset ?? 0);
      return String(sign === '-' ? id - by : id + by);
    },
  );
}

function namesOf(pod: BrokerPodCandidate, clusterDomain: string): string[] {
  const { hostname = pod.name, subdomain, namespace } = pod;
  if (!subdomain) return [];
  const short = `${hostname}.${subdomain}`;
  return [
    short,
    `${short}.${namespace}`,
    `${short}.${namespace}.svc`,
    `${short}.${namespace}.svc.${clusterDomain}`,
  ];
}
