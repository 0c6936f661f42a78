import type { KubernetesObject } from '../../src/kubernetes/port.ts';
import type { Pod } from '../../src/kubernetes/workloads.ts';
import { openKafka } from './kafka.ts';
import { cluster } from './testbed.ts';

/** The brokers of the testbed's Kafka: pod N is broker N. */
export const brokers = [0, 1, 2] as const;

/** One look at the stream's partition and the controller by a client of the test's own. */
export interface Sight {
  at: number;
  leader: number;
  isr: number[];
  controller: number;
}

/** How a container of a broker ended, by its pod's status. */
export interface ContainerEnd {
  broker: number;
  exitCode: number;
  reason: string;
  /** Epoch ms, whole seconds. */
  finishedAt: number;
}

/** What the test itself sees of the brokers and their deaths while a run goes on. */
export interface Witness {
  /** The last look before that epoch ms in which the partition had a leader. */
  before(time: number): Sight | undefined;
  /** What a broker has logged in the life that it was in at the beginning. */
  log(broker: number): string;
  ends(): ContainerEnd[];
  /** Pods that were seen in the namespace of the crash pods. */
  crashPods(): string[];
  stop(): Promise<void>;
}

interface BrokerPod extends KubernetesObject {
  status?: {
    containerStatuses?: {
      name: string;
      state?: { terminated?: Ended };
      lastState?: { terminated?: Ended };
    }[];
  };
}

interface Ended {
  containerID?: string;
  exitCode: number;
  reason?: string;
  finishedAt?: string;
}

/** Begins to look. Brokers are asked for whatever topic a run has made; only one run goes on at a time. */
export async function witness(): Promise<Witness> {
  const stopped = new AbortController();
  const { signal } = stopped;
  const sights: Sight[] = [];
  const logs = new Map<number, string[]>();
  const ends = new Map<string, ContainerEnd>();
  const crashPods = new Set<string>();
  const since = Date.now();
  const work = [
    lookAtPartition(sights, signal),
    followPods(ends, since, signal),
    followCrashPods(crashPods, signal),
    ...brokers.map((broker) => followLog(logs, broker, signal)),
  ];
  return {
    before: (time) => sights.filter(({ at, leader }) => at < time && leader >= 0).at(-1),
    log: (broker) => logs.get(broker)?.join('\n') ?? '',
    ends: () => [...ends.values()],
    crashPods: () => [...crashPods],
    stop: async () => {
      stopped.abort();
      await Promise.all(work);
    },
  };
}

async function lookAtPartition(sights: Sight[], signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const kafka = await openKafka();
    try {
      while (!signal.aborted) {
        const { partitions, controller } = await kafka.metadata({ topics: 'all' });
        const stream = partitions.find(({ topic }) => topic.startsWith('leaderfall-'));
        if (stream) sights.push({ at: Date.now(), leader: stream.leader, isr: stream.isr, controller });
        await pause(100);
      }
    } catch {
      // A broker has just gone: look again.
      await pause(200);
    } finally {
      await kafka.close();
    }
  }
}

async function followPods(ends: Map<string, ContainerEnd>, since: number, signal: AbortSignal) {
  const kind = { apiVersion: 'v1', kind: 'Pod', namespace: 'kafka' };
  for await (const { object } of cluster.watch<BrokerPod>(kind, { label: 'app=kafka', signal })) {
    for (const { name, state, lastState } of object.status?.containerStatuses ?? []) {
      for (const end of [state?.terminated, lastState?.terminated]) {
        if (name !== 'k8skafka' || !end?.containerID || !end.finishedAt) continue;
        const finishedAt = Date.parse(end.finishedAt);
        if (finishedAt < since) continue;
        const broker = Number(object.metadata?.name?.split('-').at(-1));
        const { exitCode, reason = '' } = end;
        ends.set(end.containerID, { broker, exitCode, reason, finishedAt });
      }
    }
  }
}

async function followCrashPods(seen: Set<string>, signal: AbortSignal): Promise<void> {
  const kind = { apiVersion: 'v1', kind: 'Pod', namespace: 'leaderfall-crash' };
  for await (const { object } of cluster.watch(kind, { signal })) {
    const { spec } = object as Pod;
    // Those that only have their node pull the image see nothing of it.
    if (spec?.hostPID) seen.add(object.metadata?.name ?? '');
  }
}

async function followLog(logs: Map<number, string[]>, broker: number, signal: AbortSignal): Promise<void> {
  const lines: string[] = [];
  logs.set(broker, lines);
  const pod = { namespace: 'kafka', name: `kafka-kafka-${broker}` };
  for await (const line of cluster.followLog(pod, 'k8skafka', signal)) lines.push(line);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
