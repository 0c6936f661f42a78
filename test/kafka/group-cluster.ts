import { createRequire } from 'node:module';
import { setTimeout as pause } from 'node:timers/promises';

const kafkajs = createRequire(import.meta.url);
const createConsumer = kafkajs('kafkajs/src/consumer/index.js');
const { createLogger } = kafkajs('kafkajs/src/loggers/index.js');
const { KafkaJSConnectionClosedError, KafkaJSOffsetOutOfRange, KafkaJSProtocolError } =
  kafkajs('kafkajs/src/errors.js');

/** A partition's leader and its log, whose records are its offsets: where it ends. */
interface SimulatedLog {
  leader: number;
  end: number;
}

/** A cluster that kafkajs's own consumer reads, with one group and records that are nothing but offsets. */
export interface GroupCluster {
  partitions: Map<number, SimulatedLog>;
  /** What the group has committed, by partition. */
  committed: Map<number, string>;
  /** How often it has committed. */
  commits: number;
  /** So many of the next commits end with their connection. */
  failCommits: number;
  /** So many of the next heartbeats are refused: the group has another coordinator. */
  refuseHeartbeats: number;
  /** Heartbeats are answered when this is over. */
  heartbeats: Promise<void>;
  /** A broker that keeps its next fetch until then, and answers it that it does not lead. */
  deposed?: { broker: number; until: Promise<void>; onAsked: () => void };
  /** Stands in for the client that `consumer` would be asked of. */
  client: { consumer(options: object): unknown };
}

type Requested = {
  topic: string;
  partitions: { partition: number; offset?: string; fetchOffset?: string }[];
};

/** Most records of an answer, by partition. */
const mostRecords = 5;

/** Makes one; each broker answers after a moment of its own. */
export function groupCluster(topic: string): GroupCluster {
  const made: GroupCluster = {
    partitions: new Map(),
    committed: new Map(),
    commits: 0,
    failCommits: 0,
    refuseHeartbeats: 0,
    heartbeats: Promise.resolve(),
    client: {
      consumer: (options) =>
        createConsumer({
          ...options,
          cluster,
          logger: createLogger({ logCreator: () => () => {} }),
          retry: { initialRetryTime: 10, retries: 2 },
        }),
    },
  };
  const earliest = new Map<string, object>();
  const partitionsOf = (leader: number) => ({
    isConnected: () => true,
    async fetch({ topics }: { topics: Requested[] }) {
      await pause(2 + leader);
      if (made.deposed?.broker === leader) {
        const { until, onAsked } = made.deposed;
        delete made.deposed;
        onAsked();
        await until;
        throw new KafkaJSProtocolError({ type: 'NOT_LEADER_FOR_PARTITION', code: 6, message: 'no leader' });
      }
      const asked = topics.flatMap(({ partitions }) => partitions);
      return { responses: [{ topicName: topic, partitions: asked.map(read) }] };
    },
  });

  function read({ partition, fetchOffset }: Requested['partitions'][number]): object {
    const { end = 0 } = made.partitions.get(partition) ?? {};
    const from = Number(fetchOffset);
    if (from > end) throw new KafkaJSOffsetOutOfRange(new Error('out of range'), { topic, partition });
    const messages = Array.from({ length: Math.min(end - from, mostRecords) }, (_, step) => ({
      offset: String(from + step),
      value: Buffer.from(''),
      batchContext: {},
    }));
    return { partition, highWatermark: String(end), abortedTransactions: [], messages };
  }

  const coordinator = {
    isConnected: () => true,
    joinGroup: async ({ memberId }: { memberId: string }) => {
      const member = memberId || 'member';
      return {
        ...{ generationId: 1, leaderId: member, memberId: member, groupProtocol: 'RoundRobinAssigner' },
        members: [{ memberId: member }],
      };
    },
    syncGroup: async ({ groupAssignment }: { groupAssignment: { memberAssignment: Buffer }[] }) =>
      groupAssignment[0],
    async heartbeat() {
      await made.heartbeats;
      if (made.refuseHeartbeats-- > 0)
        throw new KafkaJSProtocolError({ type: 'NOT_COORDINATOR_FOR_GROUP', code: 16, message: 'moved' });
    },
    leaveGroup: async () => {},
    async offsetCommit({ topics }: { topics: Requested[] }) {
      await pause(1);
      if (made.failCommits-- > 0) throw new KafkaJSConnectionClosedError('cut', { host: 'broker', port: 1 });
      made.commits++;
      // kafkajs gives some ids as text.
      for (const { partition, offset = '' } of topics.flatMap(({ partitions }) => partitions))
        made.committed.set(Number(partition), offset);
    },
    async offsetFetch({ topics }: { topics: Requested[] }) {
      await pause(1);
      const asked = topics.flatMap(({ partitions }) => partitions);
      const partitions = asked.map(({ partition }) => ({
        partition,
        offset: made.committed.get(partition) ?? '-1',
      }));
      return { responses: [{ topic, partitions }] };
    },
  };
  const cluster = {
    connect: async () => {},
    disconnect: async () => {},
    addMultipleTargetTopics: async () => {},
    refreshMetadata: async () => {},
    refreshMetadataIfNecessary: async () => {},
    removeBroker: () => {},
    getNodeIds: () => [...new Set([...made.partitions.values()].map(({ leader }) => leader))],
    findGroupCoordinator: async () => coordinator,
    findBroker: async ({ nodeId }: { nodeId: number }) => partitionsOf(nodeId),
    findTopicPartitionMetadata: () =>
      [...made.partitions].map(([partitionId, { leader }]) => ({ partitionId, leader })),
    async fetchTopicsOffset(asked: Requested[]) {
      await pause(20);
      return asked.map(({ partitions, ...others }) => ({
        ...others,
        partitions: partitions.map(({ partition }) => ({ partition, offset: '0' })),
      }));
    },
    committedOffsets({ groupId }: { groupId: string }) {
      if (!earliest.has(groupId)) earliest.set(groupId, {});
      return earliest.get(groupId);
    },
    defaultOffset: () => '-2',
  };
  return made;
}
