import type { GroupList } from './list-groups-protocol.ts';
import { type MetadataConnection, metadataConnection } from './metadata-connection.ts';
import { type KnownVersion, knownVersion } from './metadata-version.ts';
import type { Broker, ClusterMetadata, Dial, Topics } from './port.ts';

/** Held connections to every known broker. */
export interface MetadataPool {
  /** Each broker's own answer by host:port; undefined where there was none in time. `addresses` instead of the pool's own. */
  askEach(
    topics: Topics,
    timeoutMs: number,
    addresses?: string[],
  ): Promise<Map<string, ClusterMetadata | undefined>>;
  /** The freshest of the answers that come in time; undefined where none came. */
  askFreshest(topics: Topics, timeoutMs: number): Promise<ClusterMetadata | undefined>;
  /** The consumer groups of the brokers at these host:port; undefined where one did not answer in time. */
  askGroups(timeoutMs: number, addresses: string[]): Promise<Map<string, GroupList | undefined>>;
  close(): void;
}

/** Once one broker has answered, the others get this long: a broker that is going down must not hold a kill up. ms */
const graceMs = 60;

/** Makes a pool over a list of host:port. Connections are opened when first needed and again after they ended. */
export function metadataPool(options: {
  bootstrap: string[];
  clientId: string;
  dial: Dial;
  onEnd?: (address: string) => void;
}): MetadataPool {
  const { bootstrap, clientId, dial } = options;
  const connections = new Map<string, Promise<MetadataConnection>>();
  const versions = new Map<string, KnownVersion>();
  let closed = false;

  function connection(address: string): Promise<MetadataConnection> {
    const held = connections.get(address);
    if (held) return held;
    const opening = open(address);
    connections.set(address, opening);
    opening.catch(() => connections.delete(address));
    return opening;
  }

  async function open(address: string): Promise<MetadataConnection> {
    const { host, port } = splitAddress(address);
    const known = versionOf(address);
    const socket = await dial(host, port).catch((error: Error) => {
      known.failed(known.version);
      throw error;
    });
    const onEnd = () => {
      connections.delete(address);
      if (!closed) options.onEnd?.(address);
    };
    return metadataConnection(socket, { clientId, known, onEnd });
  }

  function versionOf(address: string): KnownVersion {
    const found = versions.get(address) ?? knownVersion();
    versions.set(address, found);
    return found;
  }

  async function ask(address: string, topics: Topics, timeoutMs: number): Promise<ClusterMetadata> {
    const started = Date.now();
    const held = await within(connection(address), timeoutMs);
    try {
      return await held.ask(topics, Math.max(1, timeoutMs - (Date.now() - started)));
    } catch (error) {
      if (!versionOf(address).known) held.close();
      throw error;
    }
  }

  /** Asks every broker the same; undefined where that failed. */
  async function ofEach<T>(
    addresses: string[],
    question: (address: string) => Promise<T>,
  ): Promise<Map<string, T | undefined>> {
    const answers = addresses.map(async (address) => {
      const answer = await question(address).catch(() => undefined);
      return [address, answer] as const;
    });
    return new Map(await Promise.all(answers));
  }

  return {
    askEach: (topics, timeoutMs, addresses = bootstrap) =>
      ofEach(addresses, (address) => ask(address, topics, timeoutMs)),
    askGroups: (timeoutMs, addresses) =>
      ofEach(addresses, async (address) => (await within(connection(address), timeoutMs)).groups(timeoutMs)),
    async askFreshest(topics, timeoutMs) {
      const answers: ClusterMetadata[] = [];
      const { promise: useful, resolve } = Promise.withResolvers<void>();
      const all = Promise.all(
        bootstrap.map(async (address) => {
          const answer = await ask(address, topics, timeoutMs).catch(() => undefined);
          // A broker that has just rejoined may list nobody for 30 s; such an answer never counts.
          if (!answer || answer.brokers.length === 0) return;
          answers.push(answer);
          resolve();
        }),
      );
      await Promise.race([all, useful.then(() => new Promise((done) => setTimeout(done, graceMs)))]);
      return freshest(answers);
    },
    close() {
      closed = true;
      for (const opening of connections.values()) {
        opening.then(
          (held) => held.close(),
          () => {},
        );
      }
    },
  };
}

/** Highest leader epochs first, summed up: they only ever grow. Then most brokers listed, then the latest. */
export function freshest(answers: ClusterMetadata[]): ClusterMetadata | undefined {
  const epoch = (answer: ClusterMetadata) =>
    answer.partitions.reduce((sum, { leaderEpoch }) => sum + leaderEpoch + 1, 0);
  return [...answers].sort(
    (a, b) => epoch(b) - epoch(a) || b.brokers.length - a.brokers.length || b.at - a.at,
  )[0];
}

/** `host:port`, where a broker wants to be reached. */
export function addressOf({ host, port }: Pick<Broker, 'host' | 'port'>): string {
  return `${host}:${port}`;
}

/** `host:port`; the host may be an IPv6 address. */
export function splitAddress(address: string): { host: string; port: number } {
  const at = address.lastIndexOf(':');
  return { host: address.slice(0, at), port: Number(address.slice(at + 1)) };
}

async function within<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not connected in ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
