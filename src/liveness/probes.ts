import { type LeaderProbe, leaderProbe } from '../kafka/leader-probe.ts';
import { splitAddress } from '../kafka/metadata-pool.ts';
import type { Dial } from '../kafka/port.ts';
import { floorMs, longestOutages, outageMeter } from './outages.ts';
import type { ObserverReport } from './protocol.ts';

/** A leader that has answered nothing for so many steps is doubted, and everybody is asked. */
const doubtSteps = 4;

/** While all goes well, the brokers that do not lead are asked this often: it keeps their connections. ms */
const idleMs = 1_000;

/** Beside a connection that is silent a new one is tried this often: packets lost on the old one are sent again ever later. ms */
const freshMs = 50;

/** A new connection beside a silent one that has answered nothing in this time is given up. ms */
const patienceMs = 250;

/** A broker that is not needed is dialled this often. ms */
const redialMs = 200;

/** A connection that is not needed and has been silent this long is opened anew. ms */
const deadMs = 5_000;

/** The running probes. */
export interface RunningProbes {
  /** The observer's report, the part that is from them. */
  report(since: number): Pick<ObserverReport, 'outages' | 'partitionOutages' | 'probes'>;
  stop(): void;
}

/** A connection to a broker, or the attempt at one. */
interface Lane {
  bornAt: number;
  probe?: LeaderProbe;
  sentAt: number;
  answeredAt: number;
  giveUp: AbortController;
}

/** A broker. The first lane is the held connection, the others are fresh ones beside it. */
interface Target {
  address: string;
  lanes: Lane[];
  dialledAt: number;
  servedAt: number;
}

/**
 * Asks at a fixed step, open loop, whether the partition is served: the broker that answered last, and everybody as soon as that
 * one is doubted. Connections to all of them are held, so that a new leader is met without a handshake.
 */
export function startProbes(options: {
  addresses: string[];
  topic: string;
  partition: number;
  clientId: string;
  stepMs: number;
  dial: Dial;
  /** False for a broker that has no replica of the partition, as far as that is known. */
  mayLead: (address: string) => boolean;
}): RunningProbes {
  const { addresses, stepMs, dial, mayLead, ...asked } = options;
  const now = () => performance.now();
  const meter = outageMeter(stepMs, (at) => Date.now() - (now() - at));
  const targets: Target[] = addresses.map((address) => ({
    address,
    lanes: [],
    dialledAt: -redialMs,
    servedAt: 0,
  }));
  const startedAt = now();
  const seen = { sent: 0, worstLateMs: 0 };
  let leader: Target | undefined;
  let rounds = 0;
  let timer: NodeJS.Timeout | undefined;
  let running = true;

  function round(): void {
    const at = now();
    seen.worstLateMs = Math.max(seen.worstLateMs, at - (startedAt + rounds * stepMs));
    meter.beat(at);
    const doubted = !leader?.lanes[0]?.probe?.open || at - leader.servedAt > doubtSteps * stepMs;
    for (const target of targets) {
      keepConnected(target, at, doubted);
      const wanted = target === leader || (doubted && mayLead(target.address));
      for (const lane of target.lanes) {
        if (!lane.probe?.open) continue;
        // One probe tells of a fresh connection what there is to tell.
        const spacing = lane === target.lanes[0] ? spacingMs(silence(lane, at)) : Number.POSITIVE_INFINITY;
        const due = lane.probe.waiting.length === 0 || at - lane.sentAt >= spacing;
        if ((wanted && due) || at - lane.sentAt >= idleMs) send(lane, lane.probe, at);
      }
    }
    // By the schedule, not by the last round: a late round is made up for by none, and delays no other.
    rounds = Math.max(rounds + 1, Math.ceil((now() - startedAt) / stepMs));
    if (running) timer = setTimeout(round, startedAt + rounds * stepMs - now());
  }

  function send(lane: Lane, probe: LeaderProbe, at: number): void {
    lane.sentAt = at;
    seen.sent++;
    probe.send();
  }

  function keepConnected(target: Target, at: number, doubted: boolean): void {
    const [held, ...fresh] = target.lanes;
    const sinceDial = at - target.dialledAt;
    if (!held) {
      if (sinceDial >= (doubted ? stepMs / 2 : redialMs)) open(target, at);
      return;
    }
    for (const lane of fresh) if (at - lane.bornAt > patienceMs) drop(target, lane);
    const silentMs = held.probe ? silence(held, at) : at - held.bornAt;
    if (doubted && silentMs > freshMs && sinceDial >= freshMs) open(target, at);
    if (!doubted && silentMs > deadMs) drop(target, held);
  }

  function open(target: Target, at: number): void {
    const lane: Lane = { bornAt: at, sentAt: -idleMs, answeredAt: at, giveUp: new AbortController() };
    const { host, port } = splitAddress(target.address);
    target.dialledAt = at;
    target.lanes.push(lane);
    dial(host, port, lane.giveUp.signal).then(
      (socket) => {
        if (!target.lanes.includes(lane)) return void socket.destroy();
        lane.probe = leaderProbe(socket, {
          ...asked,
          now,
          onAnswer: ({ sentAt, error }) => answered(target, lane, sentAt, error),
          onEnd: () => ended(target, lane),
        });
        send(lane, lane.probe, now());
      },
      () => ended(target, lane),
    );
  }

  function answered(target: Target, lane: Lane, sentAt: number, error: number): void {
    const at = now();
    lane.answeredAt = at;
    // Whoever answers is the connection to hold.
    for (const other of target.lanes) if (other !== lane) drop(target, other);
    if (error === 0) {
      leader = target;
      target.servedAt = at;
      meter.served({ lane, sentAt, at, waiting: lane.probe?.waiting ?? [] });
    } else if (target === leader) {
      leader = undefined;
      meter.denied('refusal');
    }
  }

  function drop(target: Target, lane: Lane): void {
    target.lanes = target.lanes.filter((other) => other !== lane);
    lane.giveUp.abort();
    lane.probe?.close();
    meter.ended(lane);
  }

  function ended(target: Target, lane: Lane): void {
    if (!target.lanes.includes(lane)) return;
    const held = target.lanes[0] === lane;
    drop(target, lane);
    if (target !== leader || !held) return;
    leader = undefined;
    meter.denied('cut');
  }

  round();
  return {
    report(since) {
      const at = now();
      const outages = meter.outages(at);
      return {
        outages: outages.filter((outage) => outage.at + outage.ms >= since),
        partitionOutages: {
          ...meter.totals(at),
          stepMs,
          floorMs: floorMs(stepMs),
          ...longestOutages(outages),
        },
        probes: { sent: seen.sent, worstLateMs: Math.round(seen.worstLateMs), blindMs: meter.blindMs },
      };
    },
    stop() {
      running = false;
      clearTimeout(timer);
      for (const target of targets) for (const lane of target.lanes) drop(target, lane);
    },
  };
}

/**
 * Time from one probe to the next on a connection that has been silent for so long, ms: each waits twice as long as the one before.
 * What waits is answered as soon as anything is; more of it would only keep a broker busy that has just come back. Under added
 * delay answers are as far apart as the probes were, so these stay closer together than the shortest outage.
 */
export function spacingMs(silentMs: number): number {
  return Math.min(silentMs / 2, 30);
}

/** How long nothing came though something was asked. */
function silence({ probe, answeredAt }: Lane, at: number): number {
  const [oldest] = probe?.waiting ?? [];
  return oldest === undefined ? 0 : at - Math.max(oldest, answeredAt);
}
