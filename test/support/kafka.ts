import { runLabel } from '../../src/experiment/identity.ts';
import type { ResolvedExperiment } from '../../src/experiment/spec.ts';
import { experimentSchema } from '../../src/experiment/spec.ts';
import { connectKafka } from '../../src/kafka/connect-kafka.ts';
import type { KafkaPort } from '../../src/kafka/port.ts';
import { chooseReach } from '../../src/kafka/reach.ts';
import { kudoProvisioner } from '../../src/provisioners/kudo/kudo.ts';
import { ensureSecureSecret, secureSecret } from './secure-listener.ts';
import { cluster, ensureNamespace, eventually, setting } from './testbed.ts';

const run = { temporalNamespace: 'test', workflowId: 'support', runId: 'e2e00000-support' };

/** An experiment on the testbed's Kafka with the shortest schedule that still kills once. */
export const oneKill = {
  cluster: { namespace: 'kafka' },
  provision: { mode: 'existing' },
  annotationCheck: false,
  schedule: { durationSeconds: 10, intervalSeconds: 10 },
};

/** Brings up the Kafka that several files of tests share, or finds it. Not the code under test there: what it makes is asserted elsewhere. */
export async function ensureKafka(): Promise<void> {
  await ensureKafkaWith({});
}

/** The same, with parameters of its package where it has to be brought up. */
export async function ensureKafkaWith(parameters: Record<string, string>): Promise<void> {
  await ensureNamespace('kafka');
  // One that a run made for itself and was cut off with is not the tests': its marks would be taken for something left.
  if ((await ownersOfKafka('kafka')).some((runId) => runId !== run.runId)) await removeKafka();
  await ensureSecureSecret();
  await kudoProvisioner.provision(context('kafka', { SECURE_LISTENER_SECRET: secureSecret, ...parameters }));
}

/** A plain one in a namespace of its own. */
export async function ensureKafkaIn(namespace: string): Promise<void> {
  await ensureNamespace(namespace);
  await kudoProvisioner.provision(context(namespace));
}

/** The same, with the listener for TLS and SASL: one that a run made for itself has none. */
export async function ensureSecuredKafka(): Promise<void> {
  const set = { apiVersion: 'apps/v1', kind: 'StatefulSet', namespace: 'kafka', name: 'kafka-kafka' };
  const found = await cluster.read(set);
  if (found && !JSON.stringify(found.spec).includes(secureSecret)) await removeKafka();
  await ensureKafka();
}

/** Takes the shared Kafka, or that of another namespace, down with its volumes. */
export async function removeKafka(namespace = 'kafka'): Promise<void> {
  for (const runId of new Set([run.runId, ...(await ownersOfKafka(namespace))]))
    await kudoProvisioner.remove({ ...context(namespace), run: { ...run, runId } });
}

/** Ids of the runs that installed what is in a namespace. */
async function ownersOfKafka(namespace: string): Promise<string[]> {
  const kind = { apiVersion: 'kudo.dev/v1beta1', kind: 'Instance', namespace };
  const { items } = await cluster.list(kind).catch(() => ({ items: [] }));
  return items.flatMap(({ metadata }) => metadata?.labels?.[runLabel] ?? []);
}

/** Pods come up one after the other, and each costs the period of its readiness probe. */
const soonReady = { READINESS_INITIAL_DELAY_SECONDS: '2', READINESS_PERIOD_SECONDS: '2' };

function context(namespace: string, parameters: Record<string, string> = {}) {
  const experiment = experimentSchema.parse({
    cluster: { namespace },
    provision: {
      mode: 'kudo',
      zookeeper: { instance: 'zookeeper-instance', package: setting('LEADERFALL_KUDO_ZOOKEEPER_PACKAGE') },
      kafka: {
        instance: 'kafka',
        package: setting('LEADERFALL_KUDO_KAFKA_PACKAGE'),
        parameters: { ...soonReady, ...parameters },
      },
    },
  }) as ResolvedExperiment;
  return {
    kubernetes: cluster,
    experiment,
    run,
    // The janitor, which is tested on the same cluster, leaves it alone for as long as any testbed lives.
    expires: Date.now() + 365 * 24 * 3_600_000,
    signal: new AbortController().signal,
    deadline: Date.now() + experiment.provision.timeoutSeconds * 1_000,
    progress: () => {},
    standing: async () => ({ state: 'ended' as const, why: 'a test’s' }),
  };
}

/** A Kafka port of the test's own, through the Kubernetes API. */
export async function openKafka(): Promise<KafkaPort> {
  const bootstrap = [0, 1, 2].map((n) => `kafka-kafka-${n}.kafka-svc.kafka.svc.cluster.local:9092`);
  const { dial } = await chooseReach({
    reach: 'port-forward',
    bootstrap,
    podOf: async (host) => ({ namespace: 'kafka', name: host.split('.')[0] ?? '', port: 9092 }),
    portForward: (pod) => cluster.portForward(pod),
  });
  return connectKafka({ bootstrap, clientId: 'test', dial });
}

/** Who led the stream's partition, seen by a client of the test's own every 100 ms. */
export interface LeaderWatch {
  /** Leader (broker id) of the last look before that epoch ms. */
  leaderAt(time: number): number | undefined;
  stop(): Promise<void>;
}

/** Follows the leader of the only topic of a run, from before it exists. */
export function watchLeader(): LeaderWatch {
  const looks: { at: number; leader: number }[] = [];
  const stopped = new AbortController();
  const follow = async () => {
    while (!stopped.signal.aborted) {
      const kafka = await openKafka();
      try {
        while (!stopped.signal.aborted) {
          const topic = await streamTopic();
          const { partitions } = await kafka.metadata({ topics: topic ? [topic] : [] });
          const [partition] = partitions;
          if (partition) looks.push({ at: Date.now(), leader: partition.leader });
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
      } catch {
        // The Kafka is not up yet, or is going: look again.
        await new Promise((resolve) => setTimeout(resolve, 500));
      } finally {
        await kafka.close();
      }
    }
  };
  const following = follow();
  return {
    leaderAt: (time) => looks.filter(({ at, leader }) => at < time && leader >= 0).at(-1)?.leader,
    stop: async () => {
      stopped.abort();
      await following;
    },
  };
}

let knownTopic: string | undefined;

/** The topic of the run whose liveness pod is there, from the pod's own environment. */
async function streamTopic(): Promise<string | undefined> {
  if (knownTopic) return knownTopic;
  const pod = await cluster.read({
    apiVersion: 'v1',
    kind: 'Pod',
    namespace: 'kafka',
    name: 'kafka-liveness',
  });
  const spec = pod?.spec as { containers?: { env?: { name: string; value: string }[] }[] } | undefined;
  knownTopic = spec?.containers?.[0]?.env?.find(({ name }) => name === 'LIVENESS_TOPIC')?.value;
  return knownTopic;
}

/** Waits until Kafka itself lists so many brokers; with all three, until every replica is in sync. */
export async function untilBrokers(count: number): Promise<void> {
  await eventually(`Kafka lists ${count} brokers`, 240, async () => {
    const kafka = await openKafka().catch(() => undefined);
    try {
      const look = await kafka?.metadata({ topics: 'all', timeoutMs: 5_000 });
      const whole = look?.partitions.every(({ isr, replicas }) => isr.length === replicas.length);
      return look?.brokers.length === count && (count < 3 || whole);
    } catch {
      return false;
    } finally {
      await kafka?.close();
    }
  });
}

/** Names of the topics and consumer groups of a run that the brokers still know, once all of them can tell: one that has just come cannot. */
export async function streamsLeft({ runId }: { runId: string }): Promise<string[]> {
  return await eventually('the brokers tell their topics and groups', 60, async () => {
    const kafka = await openKafka();
    try {
      const { partitions } = await kafka.metadata({ topics: 'all', timeoutMs: 5_000 });
      const names = [...partitions.map(({ topic }) => topic), ...(await kafka.groups())];
      return names.filter((name) => name.includes(runId));
    } catch {
      return undefined;
    } finally {
      await kafka.close();
    }
  });
}
