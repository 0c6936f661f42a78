import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, it } from 'vitest';
import type { LeaderfallError } from '../../src/experiment/errors.ts';
import { listenAddresses } from '../../src/worker/config.ts';
import { checkAddresses } from '../../src/worker/free-addresses.ts';
import { freePort } from '../support/free-port.ts';

const host = '127.0.0.1';

const evidenceOf = (error: unknown) => (error as LeaderfallError).problem.evidence;

it('addresses that are free stay so', async () => {
  const port = await freePort();
  await checkAddresses({ health: { host, port } });
  const server = createServer().listen(port, host);
  await once(server, 'listening');
  server.close();
});

it('one that is taken, one that is wanted twice and one of another machine are told at once', async () => {
  const taken = createServer().listen(0, host);
  await once(taken, 'listening');
  const [port, twice] = [(taken.address() as AddressInfo).port, await freePort()];
  const told = await checkAddresses({
    a: { host, port },
    b: { host, port: twice },
    c: { host, port: twice },
    d: { host: '192.0.2.1', port },
  }).catch(evidenceOf);
  taken.close();
  expect(told).toEqual([
    expect.stringMatching(/^a: .*EADDRINUSE/),
    expect.stringMatching(/^c: .*EADDRINUSE/),
    expect.stringMatching(/^d: .*EADDRNOTAVAIL/),
  ]);
});

it('are read whatever else is wrong, and those that are no address are left to the settings', () => {
  const env = {
    LEADERFALL_HEALTH_ADDRESS: '[::1]:8080',
    LEADERFALL_METRICS_ADDRESS: '9464',
    LEADERFALL_LOG_LEVEL: 'loud',
  };
  expect(listenAddresses(env)).toEqual({ LEADERFALL_HEALTH_ADDRESS: { host: '::1', port: 8080 } });
  expect(listenAddresses({ LEADERFALL_HEALTH_ADDRESS: '' })).toEqual({});
});
