import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { withoutHosts } from '../experiment/without-hosts.ts';

/** Kubernetes keeps no more of a termination message. */
const maxTerminationBytes = 4_096;

/** Parts of reports that grow with the run. */
const bulk = ['ledger', 'observations', 'outages', 'leaders', 'shrinks'];

/** What a container answers: path → answer, as JSON. GET reads, POST acts. */
export type Routes = Record<string, (query: URLSearchParams) => unknown>;

/**
 * Serves `GET /report`, `POST /stop` and the like on all addresses of the pod. Anybody in the cluster can ask: no request, however
 * odd, may end the stream.
 */
export async function serve(port: number, routes: Routes): Promise<() => void> {
  const server = createServer((request, response) => {
    answerOf(routes, request.method ?? '', request.url ?? '/').then(
      (body) => {
        if (body === undefined) response.writeHead(404).end();
        else response.writeHead(200, { 'content-type': 'application/json' }).end(body);
      },
      (error: Error) => response.writeHead(500).end(withoutHosts(error.message)),
    );
  });
  await new Promise<void>((resolve) => server.listen(port, resolve));
  return () => server.close();
}

/** Clients name brokers' hosts in their errors; nothing that leaves the pod does. */
function hostless(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? withoutHosts(value) : value;
}

/** The route's answer as JSON; undefined where there is none. */
async function answerOf(routes: Routes, method: string, path: string): Promise<string | undefined> {
  const url = URL.parse(path, 'http://pod');
  const route = url ? routes[`${method} ${url.pathname}`] : undefined;
  return url && route ? JSON.stringify((await route(url.searchParams)) ?? null, hostless) : undefined;
}

/** Longest text in last words that were too long. */
const longestText = 200;

/** Writes a report as the container's last words; where it would not fit, without what grows and with its texts cut. */
export function writeTermination(path: string, report: object): void {
  const whole = JSON.stringify(report, hostless);
  const fits = Buffer.byteLength(whole) <= maxTerminationBytes;
  const text = fits
    ? whole
    : JSON.stringify(report, (key, value: unknown) => {
        const told = bulk.includes(key) ? undefined : hostless(key, value);
        return typeof told === 'string' ? told.slice(0, longestText) : told;
      });
  try {
    writeFileSync(path, text);
  } catch (error) {
    console.error(`the termination message cannot be written: ${(error as Error).message}`);
  }
}
