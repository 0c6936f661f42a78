import { connectKafka } from '../../src/kafka/connect-kafka.ts';
import { kafkaClient } from '../../src/kafka/kafkajs.ts';
import { startObserver, watchfulMs } from '../../src/liveness/observer.ts';
import type { Observation } from '../../src/liveness/protocol.ts';
import { type Brokers, dialPast, removeTopic } from './brokers.ts';
import { observerSettings } from './observer-settings.ts';

/** A new leader as its own log has it, and when the observer saw it. Epoch ms. */
export interface LeaderChange {
  broker: number;
  /** The first epoch in which it led; a reassignment adds some that last a few milliseconds. */
  leaderEpoch: number;
  loggedAt: number;
  /** Absent where the observer never did. */
  seenAt?: number;
}

/** Until the observer takes it that all is well, and asks rarely: so it is before the first kill of a run. ms */
const calmAfterMs = watchfulMs + 500;

/** Brokers take over after this long at the latest. ms */
const takeOverMs = 20_000;

/**
 * Moves a partition from broker to broker and puts the leaders' own logs beside what the observer saw. Every move gives the
 * partition to the two brokers that follow its leader in the ring, so that its leader has to change: one that stays among the
 * replicas goes on to lead.
 */
export async function leaderChanges(
  brokers: Brokers,
  options: { moves: number; logOf: (broker: number) => Promise<string> },
): Promise<LeaderChange[]> {
  const { bootstrap } = brokers;
  const topic = `leaderfall-moves-${Date.now().toString(36)}`;
  const dial = dialPast(brokers);
  const kafka = connectKafka({ bootstrap, clientId: 'truth', dial });
  const admin = kafkaClient({ bootstrap, clientId: 'truth', dial }).admin();
  await admin.connect();
  try {
    const ring = (await kafka.metadata()).brokers.map(({ id }) => id).sort((a, b) => a - b);
    const pairAfter = (leader: number) =>
      [1, 2].map((next) => ring[(ring.indexOf(leader) + next) % ring.length] ?? 0);
    await kafka.createTopic({ name: topic, partitions: 1, replicationFactor: 2, config: {} });
    const observer = startObserver({ ...observerSettings, bootstrap, topic, dial });
    await until(() => ring.includes(observer.report(0).current.leader));
    for (let move = 0; move < options.moves; move++) {
      await new Promise((resolve) => setTimeout(resolve, calmAfterMs + Math.random() * 200));
      const replicas = pairAfter(observer.report(0).current.leader);
      await admin.alterPartitionReassignments({
        topics: [{ topic, partitionAssignment: [{ partition: 0, replicas }] }],
      });
      await until(() => {
        const { current } = observer.report(0);
        return current.replicas.join() === replicas.join() && replicas.includes(current.leader);
      });
    }
    // Leaders log before they tell: what is in the logs by now has been seen, or never will be.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const { observations } = observer.report(0);
    observer.stop();
    const logs = await Promise.all(
      ring.map(async (broker) => changesIn(await options.logOf(broker), topic, broker)),
    );
    const epochs = logs.flat().sort((a, b) => a.leaderEpoch - b.leaderEpoch);
    const changes = changesOf(epochs);
    return changes.map((change, at) => ({ ...change, ...seen(observations, change, changes[at + 1]) }));
  } finally {
    await Promise.all([admin.disconnect(), kafka.close()]);
    await removeTopic(brokers, topic);
  }
}

/** Epochs in which another broker began to lead than before. Who led first is no change: nobody watched yet. */
export function changesOf(epochs: LeaderChange[]): LeaderChange[] {
  return epochs.filter(({ broker }, at) => at > 0 && epochs[at - 1]?.broker !== broker);
}

/** What a broker wrote when it became the partition's leader, by its own clock in UTC. */
export function changesIn(log: string, topic: string, broker: number): LeaderChange[] {
  const line = new RegExp(
    `^\\[([\\d-]+) ([\\d:]+),(\\d+)\\] .*\\] ${topic}-0 starts at leader epoch (\\d+) `,
    'gim',
  );
  return [...log.matchAll(line)].map(([, day, time, ms, leaderEpoch]) => ({
    broker,
    leaderEpoch: Number(leaderEpoch),
    loggedAt: Date.parse(`${day}T${time}.${ms}Z`),
  }));
}

function seen(observations: Observation[], change: LeaderChange, next?: LeaderChange): { seenAt?: number } {
  const found = observations.find(
    ({ kind, broker, leaderEpoch = -1 }) =>
      kind === 'leader' &&
      broker === change.broker &&
      leaderEpoch >= change.leaderEpoch &&
      leaderEpoch < (next?.leaderEpoch ?? Number.POSITIVE_INFINITY),
  );
  return found ? { seenAt: found.at } : {};
}

async function until(isSo: () => boolean): Promise<void> {
  const deadline = Date.now() + takeOverMs;
  while (!isSo()) {
    if (Date.now() > deadline) throw new Error('the partition was not moved in time');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
