import type { ChildProcess } from 'node:child_process';
import type { PartitionOutage } from '../../src/experiment/outage.ts';
import type { ObserverReport } from '../../src/liveness/protocol.ts';

/**
 * What can be done to the way to one broker. `black-hole`: nothing passes, everything arrives afterwards. `void`: nothing passes,
 * and nothing ever will on the connections of that time. `reset`: connections are reset, new ones refused. `delay`: everything
 * passes, later.
 */
export type Kind = 'black-hole' | 'void' | 'reset' | 'delay';

/** One disturbance that is to be made. A delay is in force for `ms`, and `delayMs` long both ways together. */
export interface Planned {
  kind: Kind;
  ms: number;
  delayMs?: number;
}

/** A time by the machine's clock, epoch ms with fractions. */
export interface Span {
  from: number;
  to: number;
}

/** A time in which one of those on the way did nothing, and nobody meant it. */
export interface Pause extends Span {
  who: 'leader' | 'proxy' | 'observer';
}

/** To the proxy. Every message is answered by one with its `id`. */
export type ProxyRequest =
  | { id: number; what: 'open'; targets: { host: string; port: number }[] }
  | { id: number; what: 'disturb'; target: number; planned: Planned }
  | { id: number; what: 'pauses'; target: number };

/** A topic, and at which ports of this machine its brokers are reached, by their advertised addresses. */
interface Reached {
  topic: string;
  bootstrap: string[];
  ports: Record<string, number>;
}

/** To the clients. */
export type ClientsRequest = ({ id: number; what: 'start' } & Reached) | { id: number; what: 'gaps' };

/** To the observer. */
export type ObserverRequest =
  | ({ id: number; what: 'start'; stepMs: number } & Reached)
  | { id: number; what: 'observed' };

/** What the observer has seen so far. */
export interface Observed {
  outages: PartitionOutage[];
  probes: ObserverReport['probes'];
  /** CPU time of its process, as a share of one core. */
  cpuShare: number;
  /** When it paused. */
  pauses: Pause[];
}

/** When records were not acknowledged, as the producer in the pod has it, or not received, for longer than usual. */
export interface ClientGaps {
  producer: Span[];
  consumer: Span[];
  /** Epoch ms of the last acknowledged and the last received record. */
  lastAckAt: number;
  lastReceivedAt: number;
}

/** Epoch ms with fractions; the same for all processes of a machine. */
export function epochNow(): number {
  return performance.timeOrigin + performance.now();
}

/** Asks a child process and gives its answer. */
export function ask<T>(child: ChildProcess, request: { what: string } & Record<string, unknown>): Promise<T> {
  const id = Math.floor(Math.random() * Number.MAX_SAFE_INTEGER);
  return new Promise((resolve, reject) => {
    const onExit = () => reject(new Error(`the process ended before it answered: ${request.what}`));
    const onMessage = (message: unknown) => {
      const answer = message as { id: number; value: T };
      if (answer.id !== id) return;
      child.off('message', onMessage);
      child.off('exit', onExit);
      resolve(answer.value);
    };
    child.on('message', onMessage);
    child.once('exit', onExit);
    child.send({ ...request, id });
  });
}

/** Answers what a parent process asks; ends with it. */
export function answerParent<T extends { id: number }>(answer: (request: T) => Promise<unknown>): void {
  process.on('message', (request: T) => {
    void answer(request).then((value) => process.send?.({ id: request.id, value }));
  });
  process.on('disconnect', () => process.exit(0));
}
