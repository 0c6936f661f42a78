import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { type HealthChecks, serveHealth } from '../../src/worker/health.ts';

const servers: { close(): void }[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function serve(
  checks: HealthChecks,
): Promise<(path: string) => Promise<{ status: number; text: string }>> {
  const server = await serveHealth({ host: '127.0.0.1', port: 0 }, checks);
  servers.push(server);
  const { port } = server.address() as AddressInfo;
  return async (path) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`);
    return { status: answer.status, text: await answer.text() };
  };
}

const good = { name: 'good', check: () => undefined };

it('answers ready and live apart, and says what is wrong', async () => {
  const get = await serve({ live: [good], ready: [good, { name: 'Temporal', check: () => 'no answer' }] });
  expect(await get('/healthz')).toEqual({ status: 200, text: 'ok\n' });
  expect(await get('/readyz')).toEqual({ status: 503, text: 'Temporal: no answer\n' });
  expect((await get('/')).status).toBe(404);
});

it('takes a check that throws as failed', async () => {
  const broken = { name: 'Temporal', check: () => Promise.reject(new Error('deadline exceeded')) };
  const get = await serve({ live: [], ready: [broken] });
  expect(await get('/readyz')).toEqual({ status: 503, text: 'Temporal: deadline exceeded\n' });
});

it('says which setting is to blame when the address is taken', async () => {
  const server = await serveHealth({ host: '127.0.0.1', port: 0 }, { live: [], ready: [] });
  servers.push(server);
  const { port } = server.address() as AddressInfo;
  await expect(serveHealth({ host: '127.0.0.1', port }, { live: [], ready: [] })).rejects.toMatchObject({
    problem: {
      code: 'CONFIGURATION_INVALID',
      evidence: [expect.stringContaining('LEADERFALL_HEALTH_ADDRESS')],
    },
  });
});
