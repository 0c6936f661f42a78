import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { setting } from './testbed.ts';

const operators = fileURLToPath(new URL('../../testbed/operators', import.meta.url));

/** The testbed's KUDO packages as a worker in a pod gets them. */
export interface PackageServer {
  /** URL of a package by its name. */
  urlOf(name: 'zookeeper' | 'kafka'): string;
  close(): void;
}

/** Serves them as .tgz on the address that pods have for the host. */
export async function servePackages(): Promise<PackageServer> {
  const server = createServer((request, response) => {
    const name = /^\/(zookeeper|kafka)\.tgz$/.exec(request.url ?? '')?.[1];
    if (!name) return response.writeHead(404).end();
    return response.end(execFileSync('tar', ['-cz', '-C', `${operators}/${name}`, '.']));
  });
  const [host = ''] = setting('TESTBED_TEMPORAL_FROM_PODS').split(':');
  server.listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { urlOf: (name) => `http://${host}:${port}/${name}.tgz`, close: () => void server.close() };
}
