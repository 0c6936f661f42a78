import { once } from 'node:events';
import { mkdtempSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Routes, serve, writeTermination } from '../../src/liveness/server.ts';

let stop: (() => void) | undefined;

afterEach(() => {
  stop?.();
  vi.restoreAllMocks();
});

let port: number;

beforeEach(async () => {
  const free = createServer().listen(0);
  await once(free, 'listening');
  port = (free.address() as { port: number }).port;
  await once(free.close(), 'close');
});

/** Sends a request with its path as it is, which `fetch` would put in order first. */
async function ask(method: string, path: string): Promise<{ status: number | undefined; body: string }> {
  return await new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, method, path, agent: false }, (response) => {
      let body = '';
      response.on('data', (chunk) => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode, body }));
    });
    sent.on('error', reject).end();
  });
}

async function serving(routes: Routes): Promise<void> {
  stop = await serve(port, routes);
}

test('a route answers as JSON, given the query; what is no route is not found', async () => {
  await serving({
    'GET /report': (query) => ({ since: query.get('since') }),
    'POST /stop': async () => ({ stopped: true }),
  });
  expect(await ask('GET', '/report?since=7')).toEqual({ status: 200, body: '{"since":"7"}' });
  expect(await ask('POST', '/stop')).toEqual({ status: 200, body: '{"stopped":true}' });
  expect(await ask('GET', '/stop')).toMatchObject({ status: 404 });
  expect(await ask('GET', '/')).toMatchObject({ status: 404 });
});

test.each<[string, Routes[string]]>([
  ['throws', () => Promise.reject(new Error('not now'))],
  ['gives what JSON cannot hold', () => ({ offset: 1n })],
])('a route that %s is an error to who asked, and the next request is answered', async (_, route) => {
  await serving({ 'GET /report': route, 'GET /healthz': () => ({}) });
  expect(await ask('GET', '/report')).toMatchObject({
    status: 500,
    body: expect.stringMatching(/not now|BigInt/),
  });
  expect(await ask('GET', '/healthz')).toMatchObject({ status: 200 });
});

test('a path that is no URL, such as a scanner sends, does not end the stream', async () => {
  await serving({ 'GET /healthz': () => ({}) });
  expect(await ask('GET', '//')).toMatchObject({ status: 404 });
  expect(await ask('GET', '/healthz')).toMatchObject({ status: 200 });
});

const file = () => join(mkdtempSync(join(tmpdir(), 'liveness-')), 'termination-log');

test('last words are the whole report, or without its lists where Kubernetes would cut them', () => {
  const [small, large] = [file(), file()];
  const report = { role: 'observer', samples: 5, observations: [{ at: 1 }] };
  writeTermination(small, report);
  expect(JSON.parse(readFileSync(small, 'utf8'))).toEqual(report);
  writeTermination(large, { ...report, observations: Array.from({ length: 500 }, (_, at) => ({ at })) });
  expect(JSON.parse(readFileSync(large, 'utf8'))).toEqual({ role: 'observer', samples: 5 });
});

test('last words of a client that says much are cut to what Kubernetes keeps, and are still JSON', () => {
  const path = file();
  writeTermination(path, { role: 'producer', acked: 7, lastError: 'x'.repeat(5_000) });
  const words = readFileSync(path, 'utf8');
  expect(words.length).toBeLessThan(4_096);
  expect(JSON.parse(words)).toMatchObject({ role: 'producer', acked: 7 });
});

test('last words that cannot be written do not keep a container from ending', () => {
  const said = vi.spyOn(console, 'error').mockImplementation(() => {});
  writeTermination('/nowhere/termination-log', {});
  expect(said).toHaveBeenCalledWith(expect.stringContaining('ENOENT'));
});

test('hosts of brokers, which clients name in their errors, leave the pod by neither way', async () => {
  const report = { lastError: 'KafkaJSConnectionError: connect ECONNREFUSED 10.9.9.9:9092', offset: 7 };
  const told = { lastError: 'KafkaJSConnectionError: connect ECONNREFUSED <host>', offset: 7 };
  await serving({
    'GET /report': () => report,
    'POST /stop': () => Promise.reject(new Error('no answer from b.example.com:9092')),
  });
  expect(JSON.parse((await ask('GET', '/report')).body)).toEqual(told);
  expect(await ask('POST', '/stop')).toMatchObject({ body: 'no answer from <host>' });
  const [small, large] = [file(), file()];
  writeTermination(small, report);
  writeTermination(large, { ...report, outages: Array.from({ length: 500 }, (_, at) => ({ at })) });
  for (const words of [small, large]) expect(JSON.parse(readFileSync(words, 'utf8'))).toEqual(told);
});
