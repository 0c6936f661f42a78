import { type MetadataConnection, metadataConnection } from '../kafka/metadata-connection.ts';
import { splitAddress } from '../kafka/metadata-pool.ts';
import { knownVersion } from '../kafka/metadata-version.ts';
import type { ClusterMetadata } from '../kafka/port.ts';
import { dialDirect } from '../kafka/reach.ts';
import type { Settings } from './environment.ts';
import { isBehind, metadataMeter } from './metadata-meter.ts';
import { startProbes } from './probes.ts';
import type { Observation, ObserverReport } from './protocol.ts';

/** Time between two questions to a leader while anything is amiss, or has been until a moment ago. ms */
const stepMs = 10;

/** The same for a broker that leads nothing, while the leaders answer: what changes they know first. ms */
const besideMs = 30;

/**
 * Both while all is well. A question costs a broker more than half a millisecond of processor time: three of the testbed spent 0.25 of a
 * core on answers at each step. ms
 */
const calmMs = 50;
const calmBesideMs = 200;

/** All has been well for so long when questions become rarer: what a partition's move changes is over. ms */
export const watchfulMs = 1_000;

/** A leader that has not answered for this long may be none any more. ms */
const doubtMs = 150;

/** A broker that has not answered in this time is asked again on a new connection. ms */
const answerMs = 1_000;

/** Targets are asked of this partition, and it is the one that is watched. */
const watchedPartition = 0;

/** Only changes are kept, and no more than this. */
export const maxObservations = 2_000;

/** By chance brokers do not agree on a controller so often in a row. */
const steadyAnswers = 40;

/** The running observer. */
export interface RunningObserver {
  report(since: number): ObserverReport;
  stop(): void;
}

/**
 * Asks every broker for the partition's leader, ISR and the controller, each on a held connection of its own, and keeps what
 * changed. A held connection that ends is the broker's process going. Beside it, probes ask whether each partition's leader serves.
 */
export function startObserver(settings: Settings): RunningObserver {
  const startedAt = Date.now();
  const dial = settings.dial ?? dialDirect;
  const observations: Observation[] = [];
  const metadata = metadataMeter();
  const present = new Set<string>();
  const idByAddress = new Map(Object.entries(settings.brokerIds ?? {}));
  const controllers = steadyController();
  let current: ObserverReport['current'] = {
    leader: -1,
    leaderEpoch: -1,
    isr: [],
    replicas: [],
    controller: -1,
    brokers: [],
  };
  const replicasOf = new Map<number, number[]>();
  let watchedIsr: number[] = [];
  let leaders: number[] = [];
  /** When each broker answered last, by its id and the monotonic clock. */
  const answeredAt = new Map<number, number>();
  /** Probes tell of a leader that leads no longer as soon as Metadata at its quick pace would. */
  const probesWake = settings.probeStepMs <= stepMs;
  /** When anything was amiss last, by the monotonic clock. */
  let amissAt = performance.now();
  let samples = 0;
  let longestGapMs = 0;
  let lastAnswerAt = startedAt;
  let running = true;

  function note(observation: Observation): void {
    observations.push(observation);
    if (observations.length > maxObservations) observations.shift();
  }

  async function follow(address: string): Promise<void> {
    const { host, port } = splitAddress(address);
    const known = knownVersion();
    while (running) {
      let silent = false;
      const connection = await dial(host, port, AbortSignal.timeout(answerMs + (dial.handshakeMs ?? 0))).then(
        (socket) =>
          metadataConnection(socket, {
            clientId: `leaderfall-observer-${settings.runId}`,
            known,
            onEnd: () => {
              if (!silent) gone(address);
            },
          }),
        () => {
          known.failed(known.version);
          gone(address);
        },
      );
      if (connection) await askAlong(connection, address);
      // One that has only fallen silent is not gone; the next attempt at it tells.
      silent = connection?.open === true;
      connection?.close();
      await pause(50);
    }
  }

  async function askAlong(connection: MetadataConnection, address: string): Promise<void> {
    while (running && connection.open) {
      const askedAt = performance.now();
      const answer = await connection.ask([settings.topic], answerMs).catch(() => undefined);
      if (!answer) return;
      arrived(answer, address);
      // Looked at each time: what has gone amiss meanwhile is asked about at once.
      do await pause(stepMs);
      while (running && performance.now() - askedAt < paceOf(address));
    }
  }

  /** Time from one question to a broker to the next. ms */
  function paceOf(address: string): number {
    const now = performance.now();
    const answers = (leader: number) => (answeredAt.get(leader) ?? 0) > now - doubtMs;
    if (leaders.length === 0 || !leaders.every(answers)) return stepMs;
    const allThere = settings.bootstrap.every((one) => present.has(one));
    const isCalm = allThere && probesWake && now - amissAt > watchfulMs;
    const id = idByAddress.get(address);
    if (leaders.some((leader) => leader === id)) return isCalm ? calmMs : stepMs;
    return isCalm ? calmBesideMs : besideMs;
  }

  function amiss(): void {
    amissAt = performance.now();
  }

  function arrived(answer: ClusterMetadata, address: string): void {
    samples++;
    longestGapMs = Math.max(longestGapMs, answer.at - lastAnswerAt);
    lastAnswerAt = answer.at;
    for (const broker of answer.brokers) idByAddress.set(`${broker.host}:${broker.port}`, broker.id);
    const own = idByAddress.get(address);
    if (own !== undefined) answeredAt.set(own, performance.now());
    if (!present.has(address)) {
      present.add(address);
      amiss();
      note({ at: answer.at, kind: 'broker-back', ...idOf(address) });
      if (answer.brokers.length === 0) note({ at: answer.at, kind: 'metadata-empty', ...idOf(address) });
    }
    if (answer.brokers.length > 0) {
      const controller = controllers.told(answer.controller, answer.at);
      if (controller) note({ at: controller.at, kind: 'controller', broker: controller.id });
      const byLeader = (leader: number) => leader === own;
      metadata.saw(answer.at, answer.partitions, controllers.current, byLeader);
      for (const { partition, replicas } of answer.partitions) replicasOf.set(partition, replicas);
    }
    const partition = answer.partitions.find(({ partition: id }) => id === watchedPartition);
    if (answer.brokers.length === 0 || !partition) return;
    // Brokers learn of an ISR change one after the other; the leader knows it first, and only its word counts.
    const fromLeader = own === partition.leader;
    if (current.replicas.length > 0 && isBehind(partition, current, fromLeader)) return;
    const newer = partition.leaderEpoch > current.leaderEpoch;
    if (newer || partition.leader !== current.leader) {
      note({ at: answer.at, kind: 'leader', broker: partition.leader, leaderEpoch: partition.leaderEpoch });
    }
    leaders = answer.partitions.map(({ leader }) => leader);
    if (newer || fromLeader) watchedIsr = partition.isr;
    // A broker is back when it is in every partition of the stream.
    const behind = metadata.behind();
    if (behind.size > 0) amiss();
    const isr = watchedIsr.filter((id) => !behind.has(id));
    if (sorted(isr) !== sorted(current.isr)) note({ at: answer.at, kind: 'isr', isr });
    current = {
      leader: partition.leader,
      // An answer without an epoch takes back none that is known.
      leaderEpoch:
        partition.leader === current.leader
          ? Math.max(partition.leaderEpoch, current.leaderEpoch)
          : partition.leaderEpoch,
      isr,
      replicas: partition.replicas,
      controller: controllers.current,
      brokers: answer.brokers.map((broker) => broker.id).sort((a, b) => a - b),
    };
  }

  function gone(address: string): void {
    const id = idByAddress.get(address);
    if (id !== undefined) answeredAt.delete(id);
    if (!running || !present.delete(address)) return;
    note({ at: Date.now(), kind: 'broker-gone', ...idOf(address) });
  }

  function idOf(address: string): { broker?: number } {
    const broker = idByAddress.get(address);
    return broker === undefined ? {} : { broker };
  }

  function hasReplica(address: string, partition: number): boolean {
    const id = idByAddress.get(address);
    const replicas = replicasOf.get(partition) ?? [];
    return id === undefined || replicas.length === 0 || replicas.includes(id);
  }

  for (const address of settings.bootstrap) void follow(address);
  const probes = startProbes({
    addresses: settings.bootstrap,
    topic: settings.topic,
    partitions: Array.from({ length: settings.stream.partitions }, (_, partition) => partition),
    clientId: `leaderfall-probe-${settings.runId}`,
    stepMs: settings.probeStepMs,
    dial,
    mayLead: hasReplica,
    onUnserved: amiss,
  });
  return {
    report: (since) => ({
      role: 'observer',
      now: Date.now(),
      startedAt,
      samples,
      longestGapMs,
      stepMs,
      current,
      observations: observations.filter((observation) => observation.at >= since),
      metadata: metadata.figures(Date.now()),
      leaders: metadata.leaders(since),
      ...probes.report(since),
    }),
    stop: () => {
      running = false;
      probes.stop();
    },
  };
}

/**
 * Takes a controller for one only when so many answers in a row tell the same: brokers learn of a new one one after the other, and
 * those without ZooKeeper tell any of them, at each question another one.
 */
function steadyController() {
  let current = -1;
  let next = { id: -1, at: 0, answers: 0 };
  return {
    /** -1: none is known. */
    get current() {
      return current;
    },
    /** The controller that has become known with this answer, and since when; undefined: no other than before. */
    told(id: number, at: number): { id: number; at: number } | undefined {
      if (id < 0) return undefined;
      next = id === next.id ? { ...next, answers: next.answers + 1 } : { id, at, answers: 1 };
      if (id === current || next.answers < steadyAnswers) return undefined;
      current = id;
      return next;
    },
  };
}

function sorted(ids: number[]): string {
  return [...ids].sort((a, b) => a - b).join();
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
