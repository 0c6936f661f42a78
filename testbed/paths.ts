import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'leaderfall-testbed');

/** Where the testbed keeps things: outside the checkout, so that builds are shared by checkouts. */
export const paths = {
  root,
  /** Builds and downloads, keyed by what they are made from; survives `down`. */
  cache: join(root, 'cache'),
  /** Processes, certificates, data and logs of the running testbed; gone after `down`. */
  state: join(root, 'state'),
  /** The testbed's own sources. */
  source: fileURLToPath(new URL('.', import.meta.url)),
} as const;

/** Path below the state folder. */
export function state(...parts: string[]): string {
  return join(paths.state, ...parts);
}

/** Path below the cache folder. */
export function cache(...parts: string[]): string {
  return join(paths.cache, ...parts);
}

/** Addresses and names; chosen to meet no others on a usual machine. */
export const network = {
  /** On the loopback device: API server, registry, DNS and the way to Temporal, reachable from host and nodes. */
  host: '10.201.0.1',
  services: '10.203.0.0/16',
  pods: '10.202.0.0/16',
  registry: '10.201.0.1:5000',
  apiServer: 'https://10.201.0.1:6443',
  clusterDomain: 'cluster.local',
  temporal: {
    address: '127.0.0.1:7233',
    /** The same for a pod. */
    fromPods: '10.201.0.1:7233',
    ui: 'http://127.0.0.1:8233',
    metrics: '127.0.0.1:7243',
  },
} as const;

/** One node: a network namespace with a containerd and a kubelet. */
export interface TestbedNode {
  name: string;
  namespace: string;
  /** Host's and node's end of the veth pair. */
  link: string;
  gateway: string;
  address: string;
  pods: string;
}

/** Begins the names of the host's ends of all nodes' links. */
export const linkPrefix = 'lfnode';

/** The three nodes. */
export const nodes: TestbedNode[] = [1, 2, 3].map((n) => ({
  name: `node-${n}`,
  namespace: `leaderfall-node-${n}`,
  link: `${linkPrefix}${n}`,
  gateway: `10.201.${n}.1`,
  address: `10.201.${n}.2`,
  pods: `10.202.${n}.0/24`,
}));
