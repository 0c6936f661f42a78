import { connect, createServer, type Socket } from 'node:net';
import { epochNow, type Pause, type Planned, type Span } from './protocol.ts';

/** A broker that takes longer than this for a probe has paused by itself. ms */
const pauseMs = 12;

/** API key of ListOffsets, by which the observer's probes are told from everybody else's requests. */
const probeApiKey = 2;

/** The way to one broker, on a port of its own. */
export interface Way {
  port: number;
  /** Makes one disturbance and gives exactly when it was. */
  disturb(planned: Planned): Promise<Span>;
  /** When the broker itself left a probe unanswered, by the proxy's own account. */
  readonly pauses: Pause[];
}

/** One direction of one connection. */
interface Lane {
  to: Socket;
  /** Told of what is passed on, when it is. */
  passed: (chunk: Buffer) => void;
  queue: { due: number; chunk: Buffer }[];
  timer?: NodeJS.Timeout;
}

/** Opens the way to a broker: a port of this machine through which everything goes both ways. */
export async function openWay(target: { host: string; port: number }): Promise<Way> {
  const pauses: Pause[] = [];
  const lanes = new Set<Lane>();
  const sockets = new Set<Socket>();
  let closed = false;
  let lost = false;
  let delayMs = 0;
  let port = 0;
  /** A probe is with the broker, and since then none has been answered on any connection. */
  let waiting: { since: number; on: Socket } | undefined;

  function waitIsOver(): void {
    const now = epochNow();
    if (waiting && now - waiting.since >= pauseMs)
      pauses.push({ who: 'leader', from: waiting.since, to: now });
    waiting = undefined;
  }

  function pump(lane: Lane): void {
    clearTimeout(lane.timer);
    for (let [next] = lane.queue; next && !closed; [next] = lane.queue) {
      const waitMs = next.due - performance.now();
      if (waitMs > 0) {
        lane.timer = setTimeout(pump, waitMs, lane);
        return;
      }
      lane.queue.shift();
      lane.passed(next.chunk);
      lane.to.write(next.chunk);
    }
  }

  function carry(from: Socket, to: Socket, arrived: () => void, passed: (chunk: Buffer) => void): void {
    const lane: Lane = { to, passed, queue: [] };
    // What was opened while everything is lost stays lost.
    const dead = lost;
    if (!dead) lanes.add(lane);
    from.on('data', (chunk: Buffer) => {
      if (dead || !lanes.has(lane)) return;
      arrived();
      lane.queue.push({ due: performance.now() + delayMs / 2, chunk });
      pump(lane);
    });
    from.on('close', () => {
      lanes.delete(lane);
      to.destroy();
    });
    from.on('error', () => {});
  }

  const server = createServer({ noDelay: true }, (client) => {
    const broker = connect({ ...target, noDelay: true });
    for (const socket of [client, broker]) {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    }
    let isProbe: boolean | undefined;
    const ask = (chunk: Buffer) => {
      isProbe ??= chunk.length >= 6 && chunk.readInt16BE(4) === probeApiKey;
      if (isProbe) waiting ??= { since: epochNow(), on: broker };
    };
    const answer = () => {
      if (isProbe) waitIsOver();
    };
    // Who asked has gone: how long the broker would have taken is not known.
    broker.on('close', () => {
      if (waiting?.on === broker) waiting = undefined;
    });
    carry(client, broker, nothing, ask);
    carry(broker, client, answer, nothing);
  });
  const listen = () =>
    new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port, backlog: 511 }, () => resolve()));
  await listen();
  port = (server.address() as { port: number }).port;

  async function hole(ms: number): Promise<Span> {
    closed = true;
    const from = epochNow();
    await pause(ms);
    closed = false;
    const to = epochNow();
    for (const lane of lanes) pump(lane);
    return { from, to };
  }

  async function loss(ms: number): Promise<Span> {
    const from = epochNow();
    waitIsOver();
    lost = true;
    lanes.clear();
    await pause(ms);
    lost = false;
    return { from, to: epochNow() };
  }

  async function reset(ms: number): Promise<Span> {
    const ended = new Promise<void>((resolve) => server.close(() => resolve()));
    const from = epochNow();
    // Who has not answered yet never will, and was waited for until now.
    waitIsOver();
    for (const socket of sockets) socket.resetAndDestroy();
    await Promise.all([ended, pause(ms)]);
    await listen();
    return { from, to: epochNow() };
  }

  async function delay(ms: number, added: number): Promise<Span> {
    delayMs = added;
    const from = epochNow();
    await pause(ms);
    delayMs = 0;
    // What was sent last is still on its way.
    await pause(added);
    return { from, to: epochNow() };
  }

  return {
    port,
    pauses,
    disturb({ kind, ms, delayMs: added = 0 }) {
      if (kind === 'black-hole') return hole(ms);
      if (kind === 'void') return loss(ms);
      return kind === 'reset' ? reset(ms) : delay(ms, added);
    },
  };
}

function nothing(): void {}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
