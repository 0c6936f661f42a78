import { EventEmitter, once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type SimulatedCluster, simulatedCluster } from './cluster.ts';
import { routeOf } from './route.ts';
import type { Change } from './store.ts';

/** Where a worker finds its cluster. */
export interface Address {
  /** With `*` for the namespace where there is a Kafka in each of many. */
  url: string;
  /** Path of a kubeconfig for it. */
  kubeconfig: string;
}

/** A simulated cluster that can be reached. */
export interface ServedCluster extends SimulatedCluster, Address {
  /** Ends all watches that are open. */
  cutWatches(): void;
  watches: EventEmitter<{ cut: [] }>;
}

/** Serves any number of clusters at one port, each under a path of its own. */
export interface ClusterServer {
  add(name: string, namespace?: string): Promise<ServedCluster>;
  /** All clusters whose namespace is their name, as one: requests go by their namespace. */
  together: Address;
  close(): void;
}

/** Starts it; kubeconfigs are written into `folder`. */
export async function serveClusters(folder: string): Promise<ClusterServer> {
  const clusters = new Map<string, ServedCluster>();
  const server = createServer((request, response) => {
    answer(clusters, request, response).catch((error: unknown) => {
      console.error(error);
      response.writeHead(500).end();
    });
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const kubeconfigFor = (name: string) => {
    const kubeconfig = join(folder, `${name}.kubeconfig.json`);
    writeFileSync(kubeconfig, JSON.stringify(kubeconfigOf(`http://127.0.0.1:${port}/${name}`)));
    return kubeconfig;
  };
  return {
    together: { url: `http://127.0.0.1:${port}/*`, kubeconfig: kubeconfigFor(together) },
    add: async (name, namespace = 'kafka') => {
      const url = `http://127.0.0.1:${port}/${name}`;
      const kubeconfig = kubeconfigFor(name);
      const watches = new EventEmitter<{ cut: [] }>();
      watches.setMaxListeners(0);
      const cutWatches = () => void watches.emit('cut');
      const cluster = Object.assign(await simulatedCluster(namespace), {
        url,
        kubeconfig,
        watches,
        cutWatches,
      });
      clusters.set(name, cluster);
      return cluster;
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Path of all clusters as one. */
const together = 'together';

async function answer(
  clusters: Map<string, ServedCluster>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { pathname, searchParams: query } = new URL(request.url ?? '', 'http://cluster');
  const [, name = '', ...rest] = pathname.split('/');
  const [, namespace = ''] = /\/namespaces\/([^/]+)/.exec(pathname) ?? [];
  const [any] = clusters.values();
  const cluster = name === together ? (clusters.get(namespace) ?? any) : clusters.get(name);
  if (!cluster) return void response.writeHead(404).end();
  const body = await bodyOf(request);
  const path = `/${rest.join('/')}`;
  const abandoned = once(response, 'close');
  const given = await cluster.handle({ method: request.method ?? 'GET', path, query, body, abandoned });
  if (given === 'lost') return;
  if ('watch' in given)
    return follow(cluster, path, Number(query.get('resourceVersion') ?? 0), given.watch, response);
  response.writeHead(given.status, { 'content-type': 'application/json' }).end(JSON.stringify(given.body));
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return chunks.length > 0 ? JSON.parse(Buffer.concat(chunks).toString()) : undefined;
}

function follow(
  { store, watches }: ServedCluster,
  path: string,
  since: number,
  wanted: (object: Change['object']) => boolean,
  response: ServerResponse,
): void {
  const resource = routeOf(path)?.resource;
  response.writeHead(200, { 'content-type': 'application/json' });
  const tell = (change: Change) => {
    if (change.resource === resource && wanted(change.object))
      response.write(`${JSON.stringify({ type: change.type, object: change.object })}\n`);
  };
  response.flushHeaders();
  for (const change of store.changesSince(since)) tell(change);
  const stop = store.onChange(tell);
  const cut = () => void response.destroy();
  watches.once('cut', cut);
  response.once('close', () => {
    stop();
    watches.off('cut', cut);
  });
}

function kubeconfigOf(server: string) {
  return {
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'simulated' },
    clusters: [{ name: 'simulated', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'simulated', user: {} }],
    contexts: [{ name: 'simulated', context: { cluster: 'simulated', user: 'simulated' } }],
  };
}
