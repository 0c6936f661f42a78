import { createServer, type Server } from 'node:http';
import { problem } from '../experiment/errors.ts';

/** One thing that must be so. */
export interface HealthCheck {
  name: string;
  /** Undefined: it is so; else what is wrong. */
  check(): Promise<string | undefined> | string | undefined;
}

/** What the two addresses answer by. */
export interface HealthChecks {
  /** Failing: the process is of no use any more and must be replaced. */
  live: HealthCheck[];
  /** Failing: it may come back by itself. */
  ready: HealthCheck[];
}

/**
 * Serves GET /healthz and /readyz: 200 with `ok`, or 503 with what is wrong, one fact a line.
 * Throws CONFIGURATION_INVALID where the address is taken. The caller closes the server.
 */
export async function serveHealth(
  address: { host: string; port: number },
  checks: HealthChecks,
): Promise<Server> {
  const server = createServer((request, response) => {
    const wanted =
      request.url === '/healthz' ? checks.live : request.url === '/readyz' ? checks.ready : undefined;
    if (!wanted) {
      response.writeHead(404).end('/healthz or /readyz\n');
      return;
    }
    void failing(wanted).then((facts) => {
      response.writeHead(facts.length === 0 ? 200 : 503, { 'content-type': 'text/plain' });
      response.end(`${facts.length === 0 ? 'ok' : facts.join('\n')}\n`);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      const evidence = [`LEADERFALL_HEALTH_ADDRESS: ${cause.message}`];
      const next = 'Choose a free address.';
      reject(
        problem('CONFIGURATION_INVALID', 'the health endpoint cannot be served', { evidence, next, cause }),
      );
    });
    server.listen(address.port, address.host, resolve);
  });
  return server;
}

/** What of these is not so. A check that throws has failed with its message. */
export async function failing(checks: readonly HealthCheck[]): Promise<string[]> {
  const facts = await Promise.all(
    checks.map(async ({ name, check }) => {
      try {
        const wrong = await check();
        return wrong === undefined ? [] : [`${name}: ${wrong}`];
      } catch (error) {
        return [`${name}: ${error instanceof Error ? error.message : String(error)}`];
      }
    }),
  );
  return facts.flat();
}
