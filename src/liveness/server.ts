import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';

/** Kubernetes keeps no more of a termination message. */
const maxTerminationBytes = 4_096;

/** What a container answers: path → answer, as JSON. GET reads, POST acts. */
export type Routes = Record<string, (query: URLSearchParams) => unknown>;

/** Serves `GET /report`, `POST /stop` and the like on all addresses of the pod. */
export async function serve(port: number, routes: Routes): Promise<() => void> {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://pod');
    const route = routes[`${request.method} ${url.pathname}`];
    if (!route) {
      response.writeHead(404).end();
      return;
    }
    Promise.resolve()
      .then(() => route(url.searchParams))
      .then(
        (answer) =>
          response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer)),
        (error: Error) => response.writeHead(500).end(error.message),
      );
  });
  await new Promise<void>((resolve) => server.listen(port, resolve));
  return () => server.close();
}

/** Writes a report as the container's last words; its ledger is left out where it would not fit. */
export function writeTermination(path: string, report: object): void {
  const whole = JSON.stringify(report);
  const fits = Buffer.byteLength(whole) <= maxTerminationBytes;
  const text = fits
    ? whole
    : JSON.stringify(report, (key, value: unknown) =>
        key === 'ledger' || key === 'observations' || key === 'outages' ? undefined : value,
      );
  try {
    writeFileSync(path, text);
  } catch (error) {
    console.error(`the termination message cannot be written: ${(error as Error).message}`);
  }
}
