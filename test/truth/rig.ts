import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { PartitionOutage } from '../../src/experiment/outage.ts';
import type { Dial } from '../../src/kafka/port.ts';
import { dialDirect } from '../../src/kafka/reach.ts';
import { startObserver } from '../../src/liveness/observer.ts';
import type { ObserverReport } from '../../src/liveness/protocol.ts';
import { type Brokers, makeTopic, removeTopic } from './brokers.ts';
import { observerSettings } from './observer-settings.ts';
import { watchPauses } from './pauses.ts';
import { takePrecedence } from './precedence.ts';
import { ask, type ClientGaps, epochNow, type Pause, type Planned, type Span } from './protocol.ts';

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
  probes: ObserverReport['probes'];
  /** CPU time of this process, which is the observer's, as a share of one core. */
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
  const proxy = start('proxy-process.ts');
  const clients = start('clients-process.ts');
  // After its children: clients come behind it as brokers do.
  const precedence = takePrecedence();
  const own = watchPauses('observer');
  try {
    const targets = [...brokers.reached.values()];
    const ports = await ask<number[]>(proxy, { what: 'open', targets });
    const portOf = Object.fromEntries([...brokers.reached.keys()].map((address, at) => [address, ports[at]]));
    const dial: Dial = (host, port, giveUp) =>
      dialDirect('127.0.0.1', portOf[`${host}:${port}`] ?? 0, giveUp);
    const { bootstrap } = brokers;
    await ask(clients, { what: 'start', topic, bootstrap, ports: portOf });
    const observer = startObserver({
      ...observerSettings,
      bootstrap,
      topic,
      probeStepMs: options.stepMs,
      dial,
    });
    const cpu = { used: process.cpuUsage(), at: epochNow() };
    const done: { planned: Planned; span: Span }[] = [];
    try {
      await served(clients, 0, 10_000);
      await new Promise((resolve) => setTimeout(resolve, options.warmMs));
      const target = [...brokers.reached.keys()].indexOf(leader);
      for (const planned of options.plan) {
        const span = await ask<Span>(proxy, { what: 'disturb', target, planned });
        done.push({ planned, span });
        await served(clients, span.to, options.clientsMs);
      }
      const { user, system } = process.cpuUsage(cpu.used);
      const report = observer.report(0);
      const gaps = await ask<ClientGaps>(clients, { what: 'gaps' });
      const spans = done.map(({ span }) => span);
      const made = done.map((one, at) => ({
        ...one,
        reported: overlapping(report.outages ?? [], one.span),
        ...longestAt('producerMs', gaps.producer, spans, at),
        ...longestAt('consumerMs', gaps.consumer, spans, at),
      }));
      return {
        made,
        unmade: (report.outages ?? []).filter(
          (outage) => !made.some(({ reported }) => has(reported, outage)),
        ),
        pauses: [...own.pauses, ...(await ask<Pause[]>(proxy, { what: 'pauses' }))],
        probes: report.probes,
        cpuShare: (user + system) / 1_000 / (epochNow() - cpu.at),
      };
    } finally {
      observer.stop();
    }
  } finally {
    own.stop();
    precedence.giveUp();
    clients.kill();
    proxy.kill();
    await removeTopic(brokers, topic);
  }
}

function start(file: string): ChildProcess {
  return fork(fileURLToPath(new URL(file, import.meta.url)), {
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
