import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { problemOf } from '../../src/experiment/errors.ts';
import { connectKubernetes } from '../../src/kubernetes/connect-kubernetes.ts';
import { connectRest } from '../../src/kubernetes/rest.ts';
import { watchObjects } from '../../src/kubernetes/watch-objects.ts';

/** An API server that answers everything in one way. */
let server: Server;
let kubeconfig: string;
let answer = { status: 200, reason: '' };
let requests = 0;
let sent = '';
let date = new Date();
let silent = false;
/** UID of the pod that is read; undefined: none is there, and reads are answered as everything is. */
let stands: string | undefined;

beforeAll(async () => {
  server = createServer((request, response) => {
    requests++;
    if (request.method === 'DELETE') request.once('data', (body: Buffer) => (sent = body.toString()));
    if (silent) return;
    const at = request.url ?? '';
    if (at.includes('watch=true')) {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write(`${JSON.stringify({ type: 'DELETED', object: { metadata: { name: 'a' } } })}\n`);
      return;
    }
    if (stands !== undefined && request.method === 'GET') {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(
        JSON.stringify({ kind: 'Pod', metadata: { name: 'a', uid: stands, resourceVersion: '2' } }),
      );
      return;
    }
    response.writeHead(answer.status, { 'content-type': 'application/json', date: date.toUTCString() });
    const version = { gitVersion: 'v1.34.4', major: '1', minor: '34' };
    response.end(
      JSON.stringify({ kind: 'Status', message: 'in its words', reason: answer.reason, ...version }),
    );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const config = {
    clusters: [
      { name: 'c', cluster: { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true } },
    ],
    users: [{ name: 'u', user: {} }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  };
  kubeconfig = join(mkdtempSync(join(tmpdir(), 'leaderfall-refusals-')), 'kubeconfig');
  writeFileSync(kubeconfig, JSON.stringify(config));
});

afterAll(() => server.close());

test.each([
  // The process of a pod that was deleted goes on without credentials: the next attempt may be another worker's.
  [
    401,
    'Unauthorized',
    { code: 'KUBERNETES_REFUSED', retryable: true, next: expect.stringContaining('token') },
  ],
  [403, 'Forbidden', { code: 'KUBERNETES_REFUSED', retryable: false }],
  [409, 'Conflict', { code: 'KUBERNETES_REFUSED', retryable: true }],
  [422, 'Invalid', { code: 'KUBERNETES_REFUSED', retryable: false }],
  [500, 'InternalError', { code: 'KUBERNETES_UNREACHABLE', retryable: true }],
])('HTTP %i %s', async (status, reason, problem) => {
  answer = { status, reason };
  const { mergePatch } = connectKubernetes({ kubeconfig });
  const pod = { apiVersion: 'v1', kind: 'Pod', namespace: 'kafka', name: 'a' };
  const found = problemOf(await mergePatch(pod, {}).catch((error: unknown) => error));
  expect(found).toMatchObject({ ...problem, evidence: [`HTTP ${status}`, reason] });
  expect(found.message).toContain('in its words');
});

test('the server’s version comes with what its clock says of ours', async () => {
  answer = { status: 200, reason: '' };
  date = new Date(Date.now() - 300_000);
  const { gitVersion, aheadMs } = await connectKubernetes({ kubeconfig }).version();
  expect(gitVersion).toBe('v1.34.4');
  expect(Math.abs((aheadMs ?? 0) - 300_000)).toBeLessThan(2_000);
});

test('a deletion that is refused with a conflict while the same pod stands there was not carried out', async () => {
  answer = { status: 409, reason: 'Conflict' };
  const pod = { apiVersion: 'v1', kind: 'Pod', namespace: 'kafka', name: 'a' };
  const { remove } = connectKubernetes({ kubeconfig });
  stands = 'other';
  expect(await remove(pod, { uid: 'u' })).toEqual({ outcome: 'uid-changed' });
  for (const options of [{ uid: 'other' }, {}]) {
    const problem = problemOf(await remove(pod, options).catch((error: unknown) => error));
    expect(problem).toMatchObject({ code: 'KUBERNETES_REFUSED', retryable: true });
  }
  stands = undefined;
});

test('a deletion of what was read is not one of what has been written since', async () => {
  answer = { status: 409, reason: 'Conflict' };
  const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace: 'kafka', name: 'a' };
  const { remove } = connectKubernetes({ kubeconfig });
  stands = 'u';
  expect(await remove(lease, { uid: 'u', resourceVersion: '1' })).toEqual({ outcome: 'written' });
  expect(JSON.parse(sent)).toMatchObject({ preconditions: { uid: 'u', resourceVersion: '1' } });
  stands = undefined;
});

test('what is to be replaced and is gone is a conflict: it has to be read again', async () => {
  const { replace } = connectKubernetes({ kubeconfig });
  const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'a' } };
  for (answer of [
    { status: 404, reason: 'NotFound' },
    { status: 409, reason: 'Conflict' },
  ])
    expect(await replace(lease)).toBe('conflict');
});

test('a watch that is not answered is opened anew', { timeout: 10_000 }, async () => {
  [requests, silent] = [0, true];
  const ended = new AbortController();
  const kind = { apiVersion: 'v1', kind: 'Pod', namespace: 'kafka' };
  const options = { resourceVersion: '1', signal: ended.signal };
  const events = watchObjects(
    connectRest({ kubeconfig }),
    kind,
    options,
    connectKubernetes({ kubeconfig }).list,
    200,
  );
  const first = events[Symbol.asyncIterator]().next();
  await expect.poll(() => requests).toBe(1);
  silent = false;
  expect((await first).value).toMatchObject({ type: 'DELETED', object: { metadata: { name: 'a' } } });
  expect(requests).toBe(2);
  ended.abort();
  server.closeAllConnections();
});

test('a deletion is not sent after its last moment', async () => {
  requests = 0;
  const pod = { apiVersion: 'v1', kind: 'Pod', namespace: 'kafka', name: 'a' };
  const late = connectKubernetes({ kubeconfig }).remove(pod, { uid: 'u', notAfter: Date.now() - 1 });
  expect(problemOf(await late.catch((error: unknown) => error)).message).toContain('last moment');
  expect(requests).toBe(0);
});

test('nor is its answer waited for longer than that', { timeout: 5_000 }, async () => {
  [requests, silent] = [0, true];
  const pod = { apiVersion: 'v1', kind: 'Pod', namespace: 'kafka', name: 'a' };
  const lost = connectKubernetes({ kubeconfig }).remove(pod, { uid: 'u', notAfter: Date.now() + 500 });
  const { code, retryable } = problemOf(await lost.catch((error: unknown) => error));
  silent = false;
  expect([code, retryable, requests]).toEqual(['KUBERNETES_UNREACHABLE', true, 1]);
});
