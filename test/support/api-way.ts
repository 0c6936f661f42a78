import { fork } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ask, type Span } from '../truth/protocol.ts';

/** A way to the API server that a test can disturb; in a process of its own, lest the test's work make it slow. */
export interface ApiWay {
  /** The kubeconfig that knows this way and no other. */
  kubeconfig: string;
  /** For so long nothing passes either way; all of it arrives afterwards, unless who sent it has hung up. */
  blackHole(ms: number): Promise<Span>;
  close(): void;
}

/** Opens one for the user of a kubeconfig, whose certificate of the API server has to be good for 127.0.0.1. */
export async function openApiWay(kubeconfig: string): Promise<ApiWay> {
  const config = JSON.parse(readFileSync(kubeconfig, 'utf8')) as {
    clusters: { cluster: { server: string } }[];
  };
  const [first] = config.clusters;
  if (!first) throw new Error(`no cluster in ${kubeconfig}`);
  const { hostname: host, port } = new URL(first.cluster.server);
  const program = fileURLToPath(new URL('../truth/proxy-process.ts', import.meta.url));
  const proxy = fork(program, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], execArgv: [] });
  const targets = [{ host, port: Number(port || 443) }];
  const [own] = await ask<number[]>(proxy, { what: 'open', targets });
  first.cluster.server = `https://127.0.0.1:${own}`;
  const through = `${kubeconfig}-through-${own}`;
  writeFileSync(through, JSON.stringify(config));
  return {
    kubeconfig: through,
    blackHole: (ms) => ask<Span>(proxy, { what: 'disturb', target: 0, planned: { kind: 'black-hole', ms } }),
    close: () => void proxy.kill(),
  };
}
