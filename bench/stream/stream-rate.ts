import { readFileSync } from 'node:fs';
import { topicName } from '../../src/experiment/identity.ts';
import { resolveExperiment } from '../../src/experiment/resolve.ts';
import { experimentSchema } from '../../src/experiment/spec.ts';
import type { KubernetesObject } from '../../src/kubernetes/port.ts';
import { account } from '../../src/liveness/account.ts';
import { livenessPod, nodeOptionsOf } from '../../src/liveness/pod.ts';
import type { ConsumerReport, ProducerReport } from '../../src/liveness/protocol.ts';
import { ensureKafkaWith, openKafka, removeKafka, untilBrokers } from '../../test/support/kafka.ts';
import { setting } from '../../test/support/testbed.ts';
import { ask, type Rate, rateOf, type Sample, withPod } from './measure.ts';

/** One measurement of the stream with all its checks, with what the ledger said in the end. */
export interface Verified extends Rate {
  acked: number;
  received: number;
  lost: number;
  duplicated: number;
  outOfOrder: number;
  drained: boolean;
}

/** Both, measured by turns on the same brokers. */
export interface StreamRate {
  recordBytes: number;
  raw: Rate[];
  verified: Verified[];
}

const bootstrap = [0, 1, 2].map((n) => `kafka-kafka-${n}.kafka-svc.kafka.svc.cluster.local:9092`);
const bytes = 1_000;
const batch = 929;

/** Brokers compile as Kafka's own start script lets them: the testbed's stop at the compiler's first level. */
const wholeCompiler = '-XX:TieredStopAtLevel=4';

const running = { state: 'running' as const };

/**
 * The rate of one producer and one consumer container, records of 1 KB, acks=all, partitions with three replicas: the stream with all
 * its checks, by turns with kafkajs alone under the same limits. Both are given more to send than can be sent.
 */
export async function streamRate(options: Rounds, tell: (line: string) => void): Promise<StreamRate> {
  // Brokers that are there may have been started otherwise.
  await removeKafka();
  try {
    await ensureKafkaWith({ JVM_OPTIONS: wholeCompiler });
    // Pods are ready before Kafka lists them.
    await untilBrokers(3);
    return await byTurns(options, tell);
  } finally {
    await removeKafka();
  }
}

interface Rounds {
  rounds: number;
  seconds: number;
  partitions: number;
}

async function byTurns(
  { rounds, seconds, partitions }: Rounds,
  tell: (line: string) => void,
): Promise<StreamRate> {
  const found: StreamRate = { recordBytes: bytes, raw: [], verified: [] };
  for (let round = 1; round <= rounds; round++) {
    const raw = await withTopic(`bench-raw-${Date.now()}`, partitions, (topic) =>
      rawRate(topic, partitions, seconds),
    );
    found.raw.push(raw);
    tell(`round ${round}: kafkajs alone ${raw.sent}/s sent, ${raw.read}/s read`);
    const verified = await verifiedRate(partitions, seconds);
    found.verified.push(verified);
    tell(`round ${round}: all checks on ${verified.sent}/s acknowledged, ${verified.read}/s read`);
  }
  return found;
}

async function rawRate(topic: string, partitions: number, seconds: number): Promise<Rate> {
  const { manifest } = streamPod(partitions);
  const program = readFileSync(new URL('raw-client.ts', import.meta.url), 'utf8');
  const { spec } = manifest as unknown as { spec: { initContainers?: object[]; containers: Container[] } };
  delete spec.initContainers;
  spec.containers = spec.containers.slice(0, 2).map((container) => ({
    ...container,
    command: ['node', ...nodeOptionsOf('producer'), '--input-type=module-typescript', '-e', program],
    env: Object.entries({
      RAW_ROLE: container.name.replace('kafka-', ''),
      RAW_BOOTSTRAP: bootstrap.join(','),
      RAW_TOPIC: topic,
      RAW_BYTES: String(bytes),
      RAW_BATCH: String(batch),
      RAW_PARTITIONS: String(partitions),
    }).map(([name, value]) => ({ name, value })),
  }));
  return await withPod(manifest, () =>
    rateOf(() => Promise.all([ask<Sample>(8081, '/'), ask<Sample>(8082, '/')]), seconds),
  );
}

async function verifiedRate(partitions: number, seconds: number): Promise<Verified> {
  const { manifest, topic } = streamPod(partitions);
  const look = async (): Promise<[Sample, Sample]> => {
    const [producer, consumer] = await Promise.all([
      ask<ProducerReport>(8081, '/report'),
      ask<ConsumerReport>(8082, '/report'),
    ]);
    return [
      { now: producer.now, records: producer.acked },
      { now: consumer.now, records: consumer.received },
    ];
  };
  try {
    return await withPod(manifest, async () => {
      const rate = await rateOf(look, seconds);
      const producer = await ask<ProducerReport>(8081, '/stop', 'POST', 30_000);
      const consumer = await ask<ConsumerReport>(8082, '/close', 'POST', 60_000);
      const stream = account(
        { producer, consumer },
        { producer: running, consumer: running, observer: running },
      );
      const {
        acked = 0,
        received = 0,
        lost = -1,
        duplicated = -1,
        outOfOrder = -1,
        drained = false,
      } = stream ?? {};
      return { ...rate, acked, received, lost, duplicated, outOfOrder, drained };
    });
  } finally {
    await withTopic(topic, partitions, async () => {});
  }
}

interface Container {
  name: string;
}

/** The pod of a run that asks for more records than can be sent. */
function streamPod(partitions: number): { manifest: KubernetesObject; topic: string } {
  const run = {
    temporalNamespace: 'bench',
    workflowId: 'stream',
    runId: `bench-${Date.now().toString(16).slice(-8)}`,
  };
  const input = experimentSchema.parse({
    cluster: { namespace: 'kafka' },
    liveness: { ratePerSecond: 1_000_000, recordBytes: bytes, partitions, imagePullPolicy: 'IfNotPresent' },
  });
  const experiment = resolveExperiment(input, { image: setting('LEADERFALL_LIVENESS_IMAGE') });
  const brokerLabels = { app: 'kafka' };
  const now = Date.now();
  const expires = now + 3_600_000;
  const manifest = livenessPod({ experiment, run, bootstrap, now, expires, brokerLabels });
  return { manifest, topic: topicName(run, expires) };
}

/** Lends a topic that may be there already, and deletes it. */
async function withTopic<T>(name: string, partitions: number, use: (name: string) => Promise<T>): Promise<T> {
  const kafka = await openKafka();
  try {
    await kafka.createTopic({
      name,
      partitions,
      replicationFactor: 3,
      config: { 'min.insync.replicas': '2' },
    });
    return await use(name);
  } finally {
    await kafka.deleteTopic(name);
    await kafka.close();
  }
}
