import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { permittedBy } from '../../src/experiment/anomalies.ts';
import { resolveExperiment } from '../../src/experiment/resolve.ts';
import { experimentSchema } from '../../src/experiment/spec.ts';
import { connectKafka } from '../../src/kafka/connect-kafka.ts';
import type { Dial, KafkaPort } from '../../src/kafka/port.ts';
import { dialDirect } from '../../src/kafka/reach.ts';
import { account, needsSecondReading } from '../../src/liveness/account.ts';
import { startConsumer } from '../../src/liveness/consumer.ts';
import { plainStream, type Settings } from '../../src/liveness/environment.ts';
import { sentFrom } from '../../src/liveness/ledger/sent.ts';
import { placeOf, unplaced } from '../../src/liveness/ledger/sequence-map.ts';
import { startProducer } from '../../src/liveness/producer.ts';
import type { ProducerReport } from '../../src/liveness/protocol.ts';
import { decodeRecord } from '../../src/liveness/record.ts';
import { judge } from '../../src/verdict/judge.ts';
import { transaction } from '../kafka/transactions.ts';
import { brokerProcess } from '../support/broker-process.ts';
import { ensureKafka } from '../support/kafka.ts';
import { cluster, cordon, eventually, nodeOf } from '../support/testbed.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const topic = `leaderfall-loss-${Date.now().toString(36)}`;
const marked = `${topic}-marked`;
const address = (broker: number) => `kafka-kafka-${broker}.kafka-svc.kafka.svc.cluster.local:9092`;

/** Pods keep their names over a restart, not their addresses; only the cluster resolves the names. */
const dial: Dial = async (host, port, giveUp) => {
  const name = host.split('.')[0] ?? '';
  const pod = await cluster.read({ apiVersion: 'v1', kind: 'Pod', namespace: 'kafka', name });
  const { podIP } = (pod?.status ?? {}) as { podIP?: string };
  if (!podIP) throw new Error(`pod ${name} has no address`);
  return await dialDirect(podIP, port, giveUp);
};

const settings: Settings = {
  role: 'producer',
  bootstrap: [0, 1, 2].map(address),
  topic,
  runId: topic,
  rate: 100,
  stream: { ...plainStream, acks: 1 },
  replicationFactor: 2,
  minInsyncReplicas: 1,
  // Nobody leads for a while: that is no reason to give up here.
  consumerTimeoutMs: 300_000,
  probeStepMs: 3,
  terminationLog: '/dev/null',
  dial,
};

const { rate, stream, replicationFactor, minInsyncReplicas, consumerTimeoutMs } = settings;
const liveness = { ratePerSecond: rate, ...stream, replicationFactor, minInsyncReplicas, consumerTimeoutMs };
const experiment = resolveExperiment(experimentSchema.parse({ cluster: { namespace: 'kafka' }, liveness }), {
  image: 'none',
});

let kafka: KafkaPort;

beforeAll(async () => {
  await ensureKafka();
  kafka = connectKafka({ bootstrap: settings.bootstrap, clientId: 'loss', dial });
});

afterAll(async () => {
  for (const name of [topic, marked]) await kafka.deleteTopic(name).catch(() => {});
  await kafka.close();
});

async function partition() {
  const { partitions, brokers } = await kafka.metadata({ topics: [topic], timeoutMs: 3_000 });
  const [found] = partitions;
  return { leader: -1, isr: [] as number[], replicas: [] as number[], ...found, alive: brokers.length };
}

/** Where a broker stops taking part: its process stands still until it is let go on. */
async function whileStopped(pod: string, work: () => Promise<void>): Promise<void> {
  const id = brokerProcess(pod);
  process.kill(id, 'SIGSTOP');
  try {
    await work();
  } finally {
    process.kill(id, 'SIGCONT');
  }
}

/** Sequences in the log by Kafka's own console consumer, in a broker's pod: nothing of ours has a hand in it. */
async function sequencesByKafka(broker: number): Promise<Set<number>> {
  const consumer = ['/opt/kafka/bin/kafka-console-consumer.sh', '--bootstrap-server', address(broker)];
  const whole = ['--topic', topic, '--partition', '0', '--offset', 'earliest', '--timeout-ms', '15000'];
  const pod = ['-n', 'kafka', 'exec', `kafka-kafka-${broker}`, '-c', 'k8skafka', '--'];
  const kubectl = [join(root, 'testbed/main.ts'), 'kubectl', ...pod, ...consumer, ...whole];
  const { stdout } = await promisify(execFile)(process.execPath, kubectl, {
    maxBuffer: 64 * 2 ** 20,
  });
  const records = stdout.split('\n').map((line) => decodeRecord(Buffer.from(line), settings.runId));
  return new Set(records.flatMap((record) => (typeof record === 'string' ? [] : [record.sequence])));
}

/** Sequences that the producer was told are in the log. */
function acknowledged({ ledger, sent }: ProducerReport): number[] {
  const map = ledger && sentFrom(ledger).partitions.get(0);
  if (!map) return [];
  return Array.from({ length: sent }, (_, sequence) => sequence).filter(
    (sequence) => placeOf(map, sequence) <= unplaced,
  );
}

test('a log that ends in markers of transactions is read to its end, without what was given up', async () => {
  await kafka.createTopic({ name: marked, partitions: 1, replicationFactor: 3, config: {} });
  const own = { ...settings, topic: marked, stream: plainStream };
  const producer = startProducer(own);
  const consumer = startConsumer({ ...own, role: 'consumer' }, () => {});
  await eventually('records flow', 60, () => consumer.report().received > 50);
  const sent = await producer.stop();
  const target = { bootstrap: settings.bootstrap, topic: marked, dial };
  await transaction(target, ['kept', 'kept as well'], 'commit');
  await transaction(target, ['given up'], 'abort');
  const read = await consumer.close();

  const [log] = read.ledger?.partitions ?? [];
  // Each transaction leaves a marker, in which no reader finds a record.
  expect(log?.end).toBe((sent.acked ?? 0) + 2 + 1 + 1 + 1);
  const stream = account(
    { producer: sent, consumer: read },
    { producer: running, consumer: running, observer: running },
  );
  expect(stream).toMatchObject({ drained: true, lost: 0, unknown: 0, received: sent.acked });
  expect(stream?.anomalies?.map(({ kind, count }) => [kind, count])).toEqual([['damaged', 2]]);
  const again = await consumer.again();
  expect(again).toMatchObject({ received: sent.acked, partitions: [{ next: log?.end, end: log?.end }] });
});

test('an unclean election loses what only the dead leader had: as many as Kafka’s own consumer misses', async () => {
  const config = { 'min.insync.replicas': '1', 'unclean.leader.election.enable': 'true' };
  await kafka.createTopic({ name: topic, partitions: 1, replicationFactor: 2, config });
  const producer = startProducer(settings);
  const consumer = startConsumer({ ...settings, role: 'consumer' }, () => {});
  const { leader, replicas } = await eventually(
    'both replicas are in sync and records flow',
    60,
    async () => {
      const now = await partition();
      return now.isr.length === 2 && consumer.report().received > 200 && now;
    },
  );
  /** So many more records are acknowledged; which of producer and partition stands still, where not, is not to be guessed. */
  const flowing = async (what: string, seconds: number) => {
    const { acked, sent } = producer.report();
    await eventually(what, seconds, () => producer.report().acked > acked + 200).catch(async (error) => {
      const { acked: now, outages, lastError, rebuilds } = producer.report();
      const seen = { before: { acked, sent }, now, outages, lastError, rebuilds };
      throw new Error(`${error.message}: ${JSON.stringify({ seen, partition: await partition() })}`);
    });
  };
  const follower = replicas.find((replica) => replica !== leader) ?? -1;
  const node = await nodeOf('kafka', `kafka-kafka-${leader}`);
  try {
    await whileStopped(`kafka-kafka-${follower}`, async () => {
      await eventually('the follower has left the ISR', 60, async () => {
        const now = await partition();
        return now.leader === leader && now.isr.join() === String(leader);
      });
      await flowing('the leader alone has some records', 60);
      await cordon(node, true);
      const pod = { apiVersion: 'v1', kind: 'Pod', namespace: 'kafka', name: `kafka-kafka-${leader}` };
      await cluster.remove(pod, { gracePeriodSeconds: 0 });
      await eventually('the leader is gone', 60, async () => (await partition()).alive === 1);
    });
    await eventually('the follower leads', 90, async () => (await partition()).leader === follower);
    await flowing('records flow again', 90);
    const sent = await producer.stop();
    const read = await consumer.close();
    const ends = { producer: running, consumer: running, observer: running };
    const sides = { producer: sent, consumer: read };
    const first = account(sides, ends);
    expect(first && needsSecondReading(first)).toBe(true);
    const stream = account({ ...sides, again: await consumer.again() }, ends);

    const inLog = await sequencesByKafka(follower);
    const missing = acknowledged(sent).filter((sequence) => !inLog.has(sequence));
    expect(missing.length).toBeGreaterThan(200);
    expect(stream).toMatchObject({ acked: acknowledged(sent).length, lost: missing.length, drained: true });
    const lost = stream?.anomalies?.find(({ kind }) => kind === 'lost');
    expect([lost?.first.sequence, lost?.last.sequence]).toEqual([missing[0], missing.at(-1)]);
    const truncated = stream?.anomalies?.find(({ kind }) => kind === 'truncated');
    expect(truncated?.count).toBeGreaterThanOrEqual(1);
    const kinds = stream?.anomalies?.map(({ kind }) => kind) ?? [];
    const promise = { ...sent.delivery, uncleanElection: true };
    expect(kinds.filter((kind) => permittedBy(kind, promise) === undefined)).toEqual([]);

    // What a run whose stream this was would be told: the loss, and nothing beside it.
    const { verdict, reasons, lines } = judge({
      experiment,
      ...{ kills: [], plannedKills: 3, minKills: 0, isrFullAtEnd: true, cancelled: false },
      livenessPod: { state: 'running' },
      ...(stream ? { stream } : {}),
    });
    expect(verdict).toBe('Fail');
    expect(lines.filter(({ leadsTo }) => leadsTo).map(({ id }) => id)).toEqual(['lost']);
    expect(reasons.join()).toContain(`${missing.length} acknowledged records are lost`);
  } finally {
    await cordon(node, false);
    await producer.stop();
  }
  await eventually('all brokers are back', 120, async () => (await partition()).alive === 3);
});

const running = { state: 'running' } as const;
