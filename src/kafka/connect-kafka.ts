import kafkajs, { type Admin } from 'kafkajs';
import { LeaderfallError, problem } from '../experiment/errors.ts';
import { kafkaClient } from './kafkajs.ts';
import { addressOf, metadataPool } from './metadata-pool.ts';
import type { ConnectKafka, Dial, KafkaPort } from './port.ts';
import { dialDirect } from './reach.ts';

/** Kafka's own error types that answer a question rather than fail. */
const topicExistsError = 'TOPIC_ALREADY_EXISTS';
const unknownTopicError = 'UNKNOWN_TOPIC_OR_PARTITION';
/** TOPIC_DELETION_DISABLED, and INVALID_REQUEST, by which a broker says the same to DeleteTopics below version 3, kafkajs' among them. */
const deletionDisabledCodes = [73, 42];
const groupInUseError = 'NON_EMPTY_GROUP';
const unknownGroupError = 'GROUP_ID_NOT_FOUND';

/** Makes the Kafka port: own held connections for metadata, kafkajs for what an administrator does. */
export const connectKafka: ConnectKafka = ({ bootstrap, clientId, dial: given }) => {
  const refusals = refusalsOf(given ?? dialDirect);
  const pool = metadataPool({ bootstrap, clientId, dial: refusals.dial });
  const warnings: string[] = [];
  const onWarning = (message: string) => {
    warnings.push(message);
    if (warnings.length > 5) warnings.shift();
  };
  const kafka = kafkaClient({ bootstrap, clientId, onWarning, ...(given ? { dial: refusals.dial } : {}) });
  let admin: Promise<Admin> | undefined;

  /** Connected when first needed; thrown away after a failure, because kafkajs may stay with a broker that is gone. */
  async function asAdmin<T>(what: string, work: (admin: Admin) => Promise<T>): Promise<T> {
    admin ??= connected();
    const opening = admin;
    try {
      return await work(await opening);
    } catch (error) {
      admin = undefined;
      opening.then(
        (broken) => broken.disconnect(),
        () => {},
      );
      if (errorTypes(error).length > 0) throw error;
      if (refusals.last) throw refusals.last;
      throw problem('KAFKA_UNREACHABLE', `${what}: ${(error as Error).message}`, {
        evidence: warnings.slice(-3),
        next: 'Check that the brokers run and that their advertised addresses can be reached.',
        retryable: true,
        cause: error,
      });
    }
  }

  async function connected(): Promise<Admin> {
    const made = kafka.admin();
    await made.connect();
    return made;
  }

  const port: KafkaPort = {
    async metadata({ topics = [], timeoutMs = 1_000 } = {}) {
      const answer = await pool.askFreshest(topics, timeoutMs);
      if (answer) return answer;
      if (refusals.last) throw refusals.last;
      throw problem('KAFKA_UNREACHABLE', `no broker answered in ${timeoutMs} ms`, {
        evidence: refusals.said,
        next: 'Check that the brokers run, that their advertised addresses can be reached, and what cluster.port asks for: TLS, SASL, neither.',
        retryable: true,
      });
    },
    metadataOfEach: ({ topics = [], timeoutMs = 1_000, brokers } = {}) =>
      pool.askEach(topics, timeoutMs, brokers?.map(addressOf)),
    async createTopic({ name, partitions, replicationFactor, config }) {
      const configEntries = Object.entries(config).map(([key, value]) => ({ name: key, value }));
      const topic = { topic: name, numPartitions: partitions, replicationFactor, configEntries };
      try {
        const created = await asAdmin(`create topic ${name}`, (client) =>
          client.createTopics({ topics: [topic], waitForLeaders: true, timeout: 10_000 }),
        );
        return created ? 'created' : 'exists';
      } catch (error) {
        if (errorTypes(error).includes(topicExistsError)) return 'exists';
        throw refused(`create topic ${name}`, error);
      }
    },
    async deleteTopic(name) {
      try {
        await asAdmin(`delete topic ${name}`, (client) =>
          client.deleteTopics({ topics: [name], timeout: 10_000 }),
        );
        return 'deleted';
      } catch (error) {
        if (errorTypes(error).includes(unknownTopicError)) return 'not-found';
        if (errorCodes(error).some((code) => deletionDisabledCodes.includes(code))) return 'refused';
        throw refused(`delete topic ${name}`, error);
      }
    },
    async purgeTopic(name) {
      try {
        await asAdmin(`purge topic ${name}`, async (client) => {
          const offsets = await client.fetchTopicOffsets(name);
          const partitions = offsets.map(({ partition, high }) => ({ partition, offset: high }));
          await client.deleteTopicRecords({ topic: name, partitions });
        });
      } catch (error) {
        throw refused(`purge topic ${name}`, error);
      }
    },
    async brokerConfig(broker) {
      const resource = { type: kafkajs.ConfigResourceTypes.BROKER, name: String(broker) };
      const { resources } = await asAdmin(`settings of broker ${broker}`, (client) =>
        client.describeConfigs({ resources: [resource], includeSynonyms: false }),
      );
      const entries = resources.flatMap((found) => found.configEntries);
      return Object.fromEntries(
        entries.filter((entry) => !entry.isSensitive).map((entry) => [entry.configName, entry.configValue]),
      );
    },
    async topicListed(name) {
      const answers = [...(await pool.askEach([name], 1_000)).values()].filter(
        (answer) => answer !== undefined,
      );
      // Throws, and says why, where nobody answers now either.
      if (answers.length === 0) answers.push(await port.metadata({ topics: [name] }));
      return answers.some(({ partitions }) => partitions.some(({ topic }) => topic === name));
    },
    async minInsyncReplicas(topics) {
      const configNames = ['min.insync.replicas'];
      const resources = topics.map((name) => ({
        type: kafkajs.ConfigResourceTypes.TOPIC,
        name,
        configNames,
      }));
      try {
        const found = await asAdmin('settings of topics', (client) =>
          client.describeConfigs({ resources, includeSynonyms: false }),
        );
        return new Map(
          found.resources.flatMap(({ resourceName, configEntries: [entry] }) =>
            entry ? [[resourceName, Number(entry.configValue)] as const] : [],
          ),
        );
      } catch (error) {
        throw refused('settings of topics', error);
      }
    },
    async groups() {
      // By kafkajs, whose broker of the moment may list no others for 30 s after it came back, groups would be missed.
      const { brokers } = await port.metadata();
      const lists = await pool.askGroups(5_000, brokers.map(addressOf));
      for (const broker of brokers) {
        const list = lists.get(addressOf(broker));
        if (list?.error !== 0)
          throw problem('KAFKA_UNREACHABLE', `broker ${broker.id} does not tell its consumer groups yet`, {
            evidence: [list ? `Kafka's error code ${list.error}` : 'no answer in 5,000 ms'],
            next: 'It passes when the broker has come up.',
            retryable: true,
          });
      }
      return [...new Set([...lists.values()].flatMap((list) => list?.groups ?? []))];
    },
    async deleteGroup(name) {
      try {
        await asAdmin(`delete group ${name}`, (client) => client.deleteGroups([name]));
        return 'deleted';
      } catch (error) {
        if (errorTypes(error).includes(groupInUseError)) return 'in-use';
        if (errorTypes(error).includes(unknownGroupError)) return 'not-found';
        throw refused(`delete group ${name}`, error);
      }
    },
    async endOffsets(topic) {
      // kafkajs asks with isolation level read_committed unless it is told otherwise.
      const offsets = await asAdmin(`end of ${topic}`, (client) => client.fetchTopicOffsets(topic));
      return new Map(offsets.map(({ partition, high }) => [partition, BigInt(high)]));
    },
    async close() {
      pool.close();
      const open = await admin?.catch(() => undefined);
      await open?.disconnect().catch(() => {});
    },
  };
  return port;
};

interface Refusals {
  /** Dials, and notes. */
  dial: Dial;
  /** Why brokers that can be reached do not let us in. */
  readonly last: LeaderfallError | undefined;
  /** What went wrong last, if anything. */
  readonly said: string[];
}

/** Keeps what dialling the brokers came to; forgotten as soon as one of them lets us in. */
function refusalsOf(given: Dial): Refusals {
  let last: LeaderfallError | undefined;
  let said: string | undefined;
  const dial = async (...to: Parameters<Dial>) => {
    try {
      const socket = await given(...to);
      last = undefined;
      said = undefined;
      return socket;
    } catch (error) {
      said = (error as Error).message;
      if (error instanceof LeaderfallError && !error.problem.retryable) last = error;
      throw error;
    }
  };
  return {
    dial: Object.assign(dial, { handshakeMs: given.handshakeMs }),
    get last() {
      return last;
    },
    get said() {
      return said === undefined ? [] : [said];
    },
  };
}

interface KafkaJsError {
  type?: string;
  code?: number;
  errors?: KafkaJsError[];
  groups?: { error?: KafkaJsError }[];
  cause?: KafkaJsError;
  originalError?: KafkaJsError;
}

/** Protocol error names in a kafkajs error, wherever it keeps them. */
function errorTypes(error: unknown): string[] {
  return everyError(error).flatMap((found) => (typeof found.type === 'string' ? [found.type] : []));
}

function errorCodes(error: unknown): number[] {
  return everyError(error).flatMap((found) => (typeof found.code === 'number' ? [found.code] : []));
}

function everyError(error: unknown, depth = 0): KafkaJsError[] {
  if (typeof error !== 'object' || error === null || depth > 5) return [];
  const found = error as KafkaJsError;
  const ofGroups = found.groups?.map(({ error: inner }) => inner) ?? [];
  const nested = [...(found.errors ?? []), ...ofGroups, found.cause, found.originalError];
  return [found, ...nested.flatMap((inner) => everyError(inner, depth + 1))];
}

/** The brokers understood and said no. Some of those answers pass: no leader yet, not the controller any more. */
function refused(what: string, error: unknown): unknown {
  const types = errorTypes(error);
  if (types.length === 0) return error;
  return problem('KAFKA_UNREACHABLE', `${what}: ${types.join(', ')}`, {
    evidence: [(error as Error).message],
    next: 'The brokers refused it; see their logs if it does not pass.',
    retryable: true,
    cause: error,
  });
}
