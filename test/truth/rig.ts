import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { PartitionOutage } from '../../src/experiment/outage.ts';
import { nodeOptionsOf } from '../../src/liveness/pod.ts';
import { type Brokers, makeTopic, removeTopic } from './brokers.ts';
import {
  ask,
  type ClientGaps,
  epochNow,
  type Observed,
  type Pause,
  type Planned,
  type Span,
} from './protocol.ts';

/** Everything is quiet for so long before the next disturbance. ms */
const quietMs = 300;

/** One disturbance as it was made, with what was reported of its time. */
export interface Made {
  planned: Planned;
  span: Span;
  /** Partition outages that overlap it. */
  reported: PartitionOutage[];
  /** Longest gap of each client that began with it; absent where there was none. */
  producerMs?: number;
  consumerMs?: number;
}

/** Everything that was done and seen. */
export interface Truth {
  made: Made[];
  /** Reported, though nobody made an outage then. */
  unmade: PartitionOutage[];
  /** When the leader, the proxy or the observer's process paused by itself. */
  pauses: Pause[];
  probes: Observed['probes'];
  /** CPU time of the observer's process, as a share of one core. */
  cpuShare: number;
}

/**
 * Lets clients stream and the observer watch, disturbs the way to the leader as planned, and compares. After each outage the
 * clients get `clientsMs` to be served again. Before the first the stream flows for `warmMs`.
 */
export async function findTruth(
  brokers: Brokers,
  options: { plan: Planned[]; stepMs: number; clientsMs: number; warmMs: number },
): Promise<Truth> {
  const topic = `leaderfall-truth-${Date.now().toString(36)}`;
  const leader = await makeTopic(brokers, topic);
  const target = [...brokers.reached.keys()].indexOf(leader);
  const proxy = start('proxy-process.ts', []);
  const clients = start('clients-process.ts', nodeOptionsOf('producer'));
  const observer = start('observer-process.ts', nodeOptionsOf('observer'));
  try {
    const targets = [...brokers.reached.values()];
    const opened = await ask<number[]>(proxy, { what: 'open', targets });
    const ports = Object.fromEntries([...brokers.reached.keys()].map((address, at) => [address, opened[at]]));
    const reached = { topic, bootstrap: brokers.bootstrap, ports };
    await ask(clients, { what: 'start', ...reached });
    await ask(observer, { what: 'start', ...reached, stepMs: options.stepMs });
    await served(clients, 0, 10_000);
    await new Promise((resolve) => setTimeout(resolve, options.warmMs));
    const done: { planned: Planned; span: Span }[] = [];
    for (const planned of options.plan) {
      const span = await ask<Span>(proxy, { what: 'disturb', target, planned });
      done.push({ planned, span });
      await served(clients, span.to, options.clientsMs);
    }
    const { outages, pauses, ...rest } = await ask<Observed>(observer, { what: 'observed' });
    const gaps = await ask<ClientGaps>(clients, { what: 'gaps' });
    const spans = done.map(({ span }) => span);
    const made = done.map((one, at) => ({
      ...one,
      reported: overlapping(outages, one.span),
      ...longestAt('producerMs', gaps.producer, spans, at),
      ...longestAt('consumerMs', gaps.consumer, spans, at),
    }));
    return {
      ...rest,
      made,
      unmade: outages.filter((outage) => !made.some(({ reported }) => has(reported, outage))),
      pauses: [...pauses, ...(await ask<Pause[]>(proxy, { what: 'pauses', target }))],
    };
  } finally {
    for (const child of [observer, clients, proxy]) child.kill();
    await removeTopic(brokers, topic);
  }
}

function start(file: string, execArgv: string[]): ChildProcess {
  return fork(fileURLToPath(new URL(file, import.meta.url)), {
    execArgv,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
}

/** Waits until both clients have been served after a time, or have had long enough, and a quiet while more. */
async function served(clients: ChildProcess, after: number, patienceMs: number): Promise<void> {
  const deadline = epochNow() + patienceMs;
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, quietMs));
    const gaps = await ask<ClientGaps>(clients, { what: 'gaps' });
    if ((gaps.lastAckAt > after && gaps.lastReceivedAt > after) || epochNow() > deadline) return;
  }
}

/** Those that share time with a span. A reported outage has tenths of a millisecond. */
function overlapping(outages: PartitionOutage[], { from, to }: Span): PartitionOutage[] {
  return outages.filter(({ at, ms }) => at < to - 1 && at + ms > from + 1);
}

function has(outages: PartitionOutage[], outage: PartitionOutage): boolean {
  return outages.some(({ at }) => at === outage.at);
}

/** The longest gap that overlaps one span and none before it: a client that is stuck may miss the next outages altogether. */
function longestAt(
  name: 'producerMs' | 'consumerMs',
  gaps: Span[],
  spans: Span[],
  at: number,
): Partial<Made> {
  const first = (gap: Span) => spans.findIndex(({ from, to }) => gap.from < to && gap.to > from);
  const lengths = gaps.filter((gap) => first(gap) === at).map(({ from, to }) => to - from);
  return lengths.length === 0 ? {} : { [name]: Math.max(...lengths) };
}
