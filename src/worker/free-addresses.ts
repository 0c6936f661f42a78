import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { problem } from '../experiment/errors.ts';

/**
 * Makes sure that a worker can listen where it is to, each address under the name of its variable; leaves none of them taken.
 * Throws CONFIGURATION_INVALID that names every one which is taken, also by another of them, or cannot be had.
 */
export async function checkAddresses(
  addresses: Record<string, { host: string; port: number }>,
): Promise<void> {
  const evidence: string[] = [];
  const held: Server[] = [];
  for (const [name, { host, port }] of Object.entries(addresses)) {
    const server = createServer().listen(port, host);
    await once(server, 'listening').then(
      () => held.push(server),
      (error: Error) => evidence.push(`${name}: ${error.message}`),
    );
  }
  await Promise.all(held.map(async (server) => await once(server.close(), 'close')));
  if (evidence.length === 0) return;
  throw problem('CONFIGURATION_INVALID', 'the worker cannot listen where it is to', {
    evidence,
    next: 'Choose free addresses.',
  });
}
