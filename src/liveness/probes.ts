import { type LeaderProbe, leaderProbe } from '../kafka/leader-probe.ts';
import { splitAddress } from '../kafka/metadata-pool.ts';
import type { Dial } from '../kafka/port.ts';
import { floorMs, longestOutages, type OutageMeter, outageMeter, outagesSince } from './outages.ts';
import type { ObserverReport } from './protocol.ts';

/** A leader that has answered nothing for so many steps is doubted, and everybody is asked. */
const doubtSteps = 4;

/** While all goes well, the brokers that do not lead are asked this often: it keeps their connections. ms */
const idleMs = 1_000;

/** Beside a connection that is silent a new one is tried this often: packets lost on the old one are sent again ever later. ms */
const freshMs = 50;

/** A new connection beside a silent one is given up that is not made in this time, or then answers nothing in it. ms */
const patienceMs = 250;

/** A broker that is needed and refuses is dialled again after this: it listens again at any moment, and nothing tells when. ms */
const refusedMs = 1;

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
  /** As a fresh one it is given up then. */
  until: number;
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
}

/** A partition, and who answered for it last. */
interface Watched {
  partition: number;
  meter: OutageMeter;
  leader?: Target;
  servedAt: number;
}

/**
 * Asks at a fixed step, open loop, whether each partition is served: the broker that answered for it last, and everybody as soon as
 * that one is doubted. A broker is sent one request a step, for all partitions that are asked of it, however many there are.
 * Connections to all of them are held, so that a new leader is met without a handshake.
 */
export function startProbes(options: {
  addresses: string[];
  topic: string;
  partitions: number[];
  clientId: string;
  stepMs: number;
  dial: Dial;
  /** False for a broker that has no replica of the partition, as far as that is known. */
  mayLead: (address: string, partition: number) => boolean;
  /** Nobody is known to serve one of the partitions: its leader said that it leads no longer, or ended the connection. */
  onUnserved?: () => void;
}): RunningProbes {
  const { addresses, partitions, stepMs, dial, mayLead, onUnserved, ...asked } = options;
  const now = () => performance.now();
  const watched = partitions.map((partition): Watched => {
    const meter = outageMeter(stepMs, (at) => Date.now() - (now() - at));
    return { partition, meter, servedAt: 0 };
  });
  const targets: Target[] = addresses.map((address) => ({ address, lanes: [], dialledAt: -redialMs }));
  const startedAt = now();
  const seen = { sent: 0, worstLateMs: 0 };
  let rounds = 0;
  let timer: NodeJS.Timeout | undefined;
  let running = true;

  function round(): void {
    const at = now();
    seen.worstLateMs = Math.max(seen.worstLateMs, at - (startedAt + rounds * stepMs));
    for (const { meter } of watched) meter.beat(at);
    const doubted = new Set(watched.filter((one) => isDoubted(one, at)));
    if (watched.some(({ leader }) => leader === undefined)) onUnserved?.();
    for (const target of targets) {
      keepConnected(target, at, doubted.size > 0);
      const wanted = watched
        .filter(
          (one) => one.leader === target || (doubted.has(one) && mayLead(target.address, one.partition)),
        )
        .map(({ partition }) => partition);
      for (const lane of target.lanes) {
        if (!lane.probe?.open) continue;
        // One probe tells of a fresh connection what there is to tell.
        const spacing = lane === target.lanes[0] ? spacingMs(silence(lane, at)) : Number.POSITIVE_INFINITY;
        const due = lane.probe.waiting.length === 0 || at - lane.sentAt >= spacing;
        if (wanted.length > 0 && due) send(lane, lane.probe, at, wanted);
        else if (at - lane.sentAt >= idleMs) send(lane, lane.probe, at, partitions);
      }
    }
    // By the schedule, not by the last round: a late round is made up for by none, and delays no other.
    rounds = Math.max(rounds + 1, Math.ceil((now() - startedAt) / stepMs));
    if (running) timer = setTimeout(round, startedAt + rounds * stepMs - now());
  }

  function isDoubted({ leader, servedAt }: Watched, at: number): boolean {
    return !leader?.lanes[0]?.probe?.open || at - servedAt > doubtSteps * stepMs;
  }

  function send(lane: Lane, probe: LeaderProbe, at: number, about: readonly number[]): void {
    lane.sentAt = at;
    seen.sent++;
    probe.send(about);
  }

  function keepConnected(target: Target, at: number, doubted: boolean): void {
    const [held, ...fresh] = target.lanes;
    const sinceDial = at - target.dialledAt;
    if (!held) {
      if (sinceDial >= (doubted ? stepMs / 2 : redialMs)) open(target, at);
      return;
    }
    for (const lane of fresh) if (at > lane.until) drop(target, lane);
    const silentMs = held.probe ? silence(held, at) : at - held.bornAt;
    if (doubted && silentMs > freshMs && sinceDial >= freshMs) open(target, at);
    if (!doubted && silentMs > deadMs) drop(target, held);
  }

  function open(target: Target, at: number): void {
    const until = at + patienceMs + (dial.handshakeMs ?? 0);
    const lane: Lane = { bornAt: at, until, sentAt: -idleMs, answeredAt: at, giveUp: new AbortController() };
    const { host, port } = splitAddress(target.address);
    target.dialledAt = at;
    target.lanes.push(lane);
    dial(host, port, lane.giveUp.signal).then(
      (socket) => {
        if (!target.lanes.includes(lane)) return void socket.destroy();
        lane.probe = leaderProbe(socket, {
          ...asked,
          now,
          onAnswer: ({ sentAt, errors }) => answered(target, lane, sentAt, errors),
          onEnd: () => ended(target, lane),
        });
        lane.until = now() + patienceMs;
        send(lane, lane.probe, now(), partitions);
      },
      (error: NodeJS.ErrnoException) => {
        ended(target, lane);
        if (error.code === 'ECONNREFUSED') setTimeout(dialAgain, refusedMs, target);
      },
    );
  }

  /** Between two rounds, and only where there is no other attempt. */
  function dialAgain(target: Target): void {
    const at = now();
    if (running && target.lanes.length === 0 && watched.some((one) => isDoubted(one, at))) open(target, at);
  }

  function answered(target: Target, lane: Lane, sentAt: number, errors: ReadonlyMap<number, number>): void {
    const at = now();
    const [held] = target.lanes;
    lane.answeredAt = at;
    const spare = held !== undefined && held !== lane && held.answeredAt > lane.bornAt;
    // Whoever answers is the connection to hold. Where that is the one held before, those beside it may answer still: outage or delay?
    if (lane !== held && !spare) for (const other of target.lanes) if (other !== lane) drop(target, other);
    for (const one of watched) {
      const error = errors.get(one.partition);
      if (error === 0) {
        one.leader = target;
        one.servedAt = at;
        one.meter.served({
          ...{ lane, sentAt, at },
          // Asked for after a silence alone.
          get waiting() {
            return waitingFor(one, lane);
          },
        });
      } else if (error !== undefined && target === one.leader) {
        denied(one, 'refusal');
      }
    }
    if (spare) drop(target, lane);
  }

  function waitingFor({ partition }: Watched, { probe }: Lane): number[] {
    const questions = probe?.waiting ?? [];
    return questions.filter((one) => one.partitions.includes(partition)).map(({ sentAt }) => sentAt);
  }

  function drop(target: Target, lane: Lane): void {
    target.lanes = target.lanes.filter((other) => other !== lane);
    lane.giveUp.abort();
    lane.probe?.close();
    for (const { meter } of watched) meter.ended(lane);
  }

  function ended(target: Target, lane: Lane): void {
    if (!target.lanes.includes(lane)) return;
    const held = target.lanes[0] === lane;
    drop(target, lane);
    if (!held) return;
    for (const one of watched.filter(({ leader }) => leader === target)) denied(one, 'cut');
  }

  function denied(one: Watched, how: 'refusal' | 'cut'): void {
    delete one.leader;
    one.meter.denied(how);
    onUnserved?.();
  }

  round();
  return {
    report(since) {
      const at = now();
      const outages = watched.flatMap(({ partition, meter }) =>
        meter.outages(at).map((outage) => ({ ...outage, partition })),
      );
      const totals = watched.map(({ meter }) => meter.totals(at));
      // All partitions have the same beats.
      const blindMs = watched[0]?.meter.blindMs ?? 0;
      return {
        outages: outagesSince(outages, since),
        partitionOutages: {
          partitions: watched.length,
          count: totals.reduce((sum, { count }) => sum + count, 0),
          // One death takes many partitions at once: added up, its time would count once for each of them.
          totalMs: Math.max(0, ...totals.map(({ totalMs }) => totalMs)),
          stepMs,
          floorMs: floorMs(stepMs),
          ...longestOutages(outages),
        },
        probes: { sent: seen.sent, worstLateMs: Math.round(seen.worstLateMs), blindMs },
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
  return oldest === undefined ? 0 : at - Math.max(oldest.sentAt, answeredAt);
}
