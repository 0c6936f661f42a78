import { connect, type Socket } from 'node:net';
import { problem } from '../experiment/errors.ts';
import { lookupBriefly } from './lookup.ts';
import { splitAddress } from './metadata-pool.ts';
import type { Dial } from './port.ts';

/** A name that does not resolve, or an address that does not answer, in this time is out of direct reach. ms */
const directTimeoutMs = 1_000;

/** Opens a plain TCP connection. */
export const dialDirect: Dial = (host, port, giveUp) =>
  new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true, timeout: 5_000, lookup: lookupBriefly });
    const end = () => socket.destroy(new Error(`the attempt at ${host}:${port} was given up`));
    const over = () => giveUp?.removeEventListener('abort', end);
    giveUp?.addEventListener('abort', end);
    socket.once('close', over);
    socket.once('connect', () => {
      over();
      socket.setTimeout(0);
      resolve(socket);
    });
    socket.once('timeout', () => socket.destroy(new Error(`no connection to ${host}:${port} in 5 s`)));
    socket.once('error', reject);
  });

/** A pod's port, as port-forward names it. */
export interface PodPort {
  namespace: string;
  name: string;
  port: number;
}

/** Decides how the brokers are reached. `auto`: directly where any of them answers, else through the Kubernetes API. */
export async function chooseReach(options: {
  reach: 'auto' | 'direct' | 'port-forward';
  bootstrap: string[];
  /** The pod behind what a client wants to reach, and the port there. */
  podOf: (host: string, port: number) => Promise<PodPort | undefined>;
  portForward: (pod: PodPort) => Promise<Socket>;
}): Promise<{ reach: 'direct' | 'port-forward'; dial: Dial }> {
  const forwarded: Dial = async (host, port) => {
    const pod = await options.podOf(host, port);
    if (pod) return await options.portForward(pod);
    throw problem('BROKER_UNMAPPED', `no pod stands behind ${host}`, { retryable: true });
  };
  if (options.reach === 'direct') return { reach: 'direct', dial: dialDirect };
  if (options.reach === 'port-forward') return { reach: 'port-forward', dial: forwarded };
  const direct = await Promise.any(options.bootstrap.map(answers)).catch(() => false);
  return direct ? { reach: 'direct', dial: dialDirect } : { reach: 'port-forward', dial: forwarded };
}

async function answers(address: string): Promise<true> {
  const { host, port } = splitAddress(address);
  const { promise, resolve, reject } = Promise.withResolvers<true>();
  const socket = connect({ host, port });
  const timer = setTimeout(() => socket.destroy(new Error('too slow')), directTimeoutMs);
  socket.once('connect', () => resolve(true));
  socket.once('error', reject);
  socket.once('close', () => reject(new Error('closed')));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}
