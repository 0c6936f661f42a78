import { createHmac } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import { WorkflowFailedError } from '@temporalio/client';
import { CancelledFailure } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Activities } from '../../src/activities/contract.ts';
import type { PromotionDependencies } from '../../src/activities/promotion.ts';
import { problem } from '../../src/experiment/errors.ts';
import type { PromotionRecord } from '../../src/experiment/promotion/record.ts';
import {
  environmentSteps,
  httpServer,
  lastingProof,
  promoteStory,
  secretsFolder,
} from './promotion-support.ts';
import { timeSkippingServer } from './story-support.ts';

/** How promotions end: what is told and called, and what a stop reaches. */
let env: TestWorkflowEnvironment;
let http: Awaited<ReturnType<typeof httpServer>>;
const fails = new Set<string>();
const folder = secretsFolder({ 'hook-key': 's3cret' });
const webUi = 'http://temporal.example';

beforeAll(async () => {
  http = await httpServer();
});

afterAll(() => {
  http.server.close();
});

beforeEach(async () => {
  env = await timeSkippingServer();
  fails.clear();
  http.requests.length = 0;
});

afterEach(async () => {
  await env.teardown();
});

const kills = { name: 'kills', cluster: { namespace: 'kafka' } };
/** From before the test to long after it. */
const frozen = [{ from: '2020-01-01T00:00:00Z', to: '2090-01-01T00:00:00Z' }];

async function promote(
  more: object,
  {
    during,
    stage = {},
    overrides = {},
    settings = {},
  }: {
    during?: (handle: WorkflowHandle) => Promise<void>;
    stage?: object;
    overrides?: object;
    settings?: Partial<PromotionDependencies>;
  } = {},
) {
  const steps = environmentSteps(env, 'staging', { fails, inputs: [] }, overrides);
  return await promoteStory(
    env,
    { staging: steps, production: steps },
    ({ staging }) => ({
      name: 'orders',
      subject: 'orders@sha256:1',
      startedBy: 'carol',
      stages: [{ name: 'staging', environment: { taskQueue: staging }, experiments: [kills], ...stage }],
      ...more,
    }),
    during,
    { secretsFolder: folder, webUi, ...settings },
  );
}

/** All that a history says, its payloads decoded. */
function textsOf(value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.values(value).map(textsOf).join('\n');
}

const bodies = () => http.requests.map(({ body }) => JSON.parse(body));

test('a hook is called with the record, signed, under one key however often it is tried; the secret is not in history', async () => {
  http.answers.push(503, 429);
  const { record, handle } = await promote({
    onPromoted: [{ kind: 'http', url: `${http.url}/deploy`, secret: 'hook-key' }],
  });
  expect(record?.hooks).toEqual([{ hook: 'HTTP call 1', outcome: 'answered 200' }]);
  expect(http.requests).toHaveLength(3);
  expect(new Set(http.requests.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
  for (const { headers, body } of http.requests) {
    const [, at, digest] = /^t=(\d+),v1=([0-9a-f]+)$/.exec(String(headers['leaderfall-signature'])) ?? [];
    expect(digest).toBe(createHmac('sha256', 's3cret').update(`${at}.${body}`).digest('hex'));
    expect(JSON.parse(body)).toMatchObject({ outcome: 'Promoted', subject: 'orders@sha256:1' });
  }
  const texts = textsOf(await handle.fetchHistory());
  expect(texts).toContain('hook-key');
  expect(texts).not.toContain('s3cret');
});

test('a hook that is refused is in the record, and changes nothing else; a rejected promotion calls the other hooks', async () => {
  http.answers.push(404);
  const [onPromoted, onRejected] = ['yes', 'no'].map((path) => [
    { kind: 'http', url: `${http.url}/${path}` },
  ]);
  const good = await promote({ onPromoted, onRejected });
  expect(good.record?.outcome).toBe('Promoted');
  expect(good.record?.hooks[0]?.outcome).toBe('failed: the URL of the promotion answered 404');
  fails.add('kills');
  const bad = await promote({ onPromoted, onRejected }, { stage: { hold: '0s' } });
  expect(bad.record?.outcome).toBe('Rejected');
  expect(http.requests.map(({ path }) => path)).toEqual(['/yes', '/no']);
});

test('those who want to know are told of start, waiting gate, verdict and end, with the command and the link that answer', async () => {
  const notify = [
    { kind: 'webhook', url: `${http.url}/news` },
    { kind: 'slack', url: `${http.url}/slack`, on: ['waiting'] },
    { kind: 'webhook', url: 'http://127.0.0.1:1/nobody-there' },
  ];
  const approvers = [{ name: 'ann', role: 'on call' }, { name: "o'brien" }, { name: 'carol' }];
  const gates = [{ kind: 'approval', approvers }];
  const { record, handle } = await promote(
    { notify },
    {
      stage: { gates },
      during: async (started) => {
        await expect
          .poll(() => bodies().some(({ kind }) => kind === 'waiting'), { timeout: 30_000 })
          .toBe(true);
        await started.executeUpdate('approve', { args: [{ actor: 'ann', role: 'on call', reason: 'fine' }] });
      },
    },
  );
  expect(record?.outcome).toBe('Promoted');
  const news = bodies().filter(({ schema }) => schema === 'leaderfall.io/news/v1');
  expect(news.map(({ kind }) => kind).sort()).toEqual(['ended', 'started', 'verdict', 'waiting']);
  const id = handle.workflowId;
  const waiting = news.find(({ kind }) => kind === 'waiting');
  // One line for each who may: the starter does not count.
  expect(waiting.commands).toEqual([
    `leaderfall promote approve ${id} --stage staging --actor ann --role 'on call' --reason TEXT`,
    `leaderfall promote approve ${id} --stage staging --actor 'o'\\''brien' --reason TEXT`,
    `leaderfall promote reject ${id} --stage staging --actor ann --reason TEXT`,
  ]);
  expect(waiting.link).toBe(`${webUi}/namespaces/default/workflows/${id}`);
  const [slack] = http.requests.filter(({ path }) => path === '/slack');
  expect(Object.keys(JSON.parse(slack?.body ?? ''))).toEqual(['text']);
  expect(slack?.body).toContain(waiting.commands[0]);
  expect(slack?.body).toContain(`<${waiting.link}|Temporal>`);
  expect(record?.timeline.map(({ text }) => text).join()).toContain('webhook was not told of "started"');
});

test('a secret that the worker has not is said at once', async () => {
  const { error } = await promote({ onPromoted: [{ kind: 'http', urlFrom: 'no-such', secret: 'hook-key' }] });
  expect(error?.cause).toMatchObject({
    type: 'CONFIGURATION_INVALID',
    message: 'the worker has no secret no-such',
  });
});

/** The record as the last activity kept it. */
async function keptRecord(handle: WorkflowHandle): Promise<PromotionRecord> {
  const { events } = await handle.fetchHistory();
  const results = (events ?? []).flatMap(
    (event) => event.activityTaskCompletedEventAttributes?.result?.payloads?.[0]?.data ?? [],
  );
  return JSON.parse(Buffer.from(results.at(-1) ?? []).toString());
}

test('who rejects stops the run under way, which cleans up, and the promotion ends as Rejected', async () => {
  const cleaned: string[] = [];
  const cleanUp = async () => {
    cleaned.push('run');
    return { leftovers: [], done: [] };
  };
  const { prove, begun } = lastingProof();
  const { record } = await promote(
    {},
    {
      overrides: { prove, cleanUp },
      during: async (handle) => {
        await begun;
        const stranger = handle.executeUpdate('reject', { args: [{ actor: 'eve', reason: 'no' }] });
        await expect(stranger).rejects.toMatchObject({
          cause: { message: expect.stringContaining('eve has no say') },
        });
        await handle.executeUpdate('reject', { args: [{ actor: 'carol', reason: 'wrong image' }] });
      },
    },
  );
  expect(record).toMatchObject({ outcome: 'Rejected', reason: 'rejected by carol: wrong image' });
  expect(record?.stages[0]).toMatchObject({ state: 'not passed', runs: [{ verdict: 'Stopped' }] });
  expect(cleaned).toEqual(['run']);
});

test('a cancel reaches runs and their clean-up, and the promotion ends as Canceled with its record kept', async () => {
  const cleaned: string[] = [];
  const cleanUp = async () => {
    cleaned.push('run');
    return { leftovers: [], done: [] };
  };
  const { prove, begun } = lastingProof();
  const { error, handle } = await promote(
    { notify: [{ kind: 'webhook', url: http.url }] },
    {
      overrides: { prove, cleanUp },
      during: async (started) => {
        await begun;
        await started.cancel();
      },
    },
  );
  expect((error as WorkflowFailedError).cause).toBeInstanceOf(CancelledFailure);
  expect(error).toBeInstanceOf(WorkflowFailedError);
  expect(cleaned).toEqual(['run']);
  expect(await keptRecord(handle)).toMatchObject({
    outcome: 'Stopped',
    stages: [{ runs: [{ verdict: 'Stopped' }] }],
  });
  expect(bodies().find(({ kind }) => kind === 'ended').text).toBe('Stopped: it was cancelled');
});

test('a run that breaks while the promotion is being stopped leaves it Stopped, and is told beside it', async () => {
  const { prove, begun } = lastingProof();
  // As a worker of another build may end it.
  const record: Activities['record'] = async ({ result }) => ({ ...result, verdict: 'Error' });
  const { error, handle } = await promote(
    { onRejected: [{ kind: 'http', url: `${http.url}/no` }] },
    {
      overrides: { prove, record },
      during: async (started) => {
        await begun;
        await started.signal('stop', { actor: 'ann', reason: 'a release' });
      },
    },
  );
  expect((error as WorkflowFailedError).cause).toBeInstanceOf(CancelledFailure);
  expect(await keptRecord(handle)).toMatchObject({
    outcome: 'Stopped',
    reason: expect.stringMatching(/^stopped by ann: a release; meanwhile INTERNAL: Error: /),
    hooks: [],
  });
});

test('a stop says who and why in the record, and reaches a promotion that waits', async () => {
  const { error, handle } = await promote(
    { overriders: ['ann'] },
    {
      stage: { gates: [{ kind: 'window', freeze: frozen }] },
      during: async (started) => {
        const state = async () => (await started.query<PromotionRecord>('status')).stages[0]?.state;
        await expect.poll(state, { timeout: 30_000 }).toBe('waiting');
        await started.signal('stop', { actor: 'ann', reason: 'a release' });
      },
    },
  );
  expect((error as WorkflowFailedError).cause).toBeInstanceOf(CancelledFailure);
  const kept = await keptRecord(handle);
  expect(kept).toMatchObject({
    outcome: 'Stopped',
    reason: 'stopped by ann: a release',
    decisions: [{ request: 'stop', actor: 'ann', reason: 'a release', stage: 'staging' }],
  });
  expect(kept.stages[0]).not.toHaveProperty('answers');
});

test('a promotion that breaks keeps its record, calls the hooks of a rejected one and is told of', async () => {
  const proof = { stage: 'staging', promotion: 'earlier' };
  const findRecord = async () => {
    throw problem('CONFIGURATION_INVALID', 'no right to read it');
  };
  const { error, handle } = await promote(
    {
      notify: [{ kind: 'webhook', url: `${http.url}/news`, on: ['ended'] }],
      onRejected: [{ kind: 'http', url: `${http.url}/no` }],
    },
    { stage: { proof }, settings: { findRecord } },
  );
  expect(error?.cause).toMatchObject({ type: 'CONFIGURATION_INVALID', message: 'no right to read it' });
  const reason = 'CONFIGURATION_INVALID: no right to read it';
  expect(await keptRecord(handle)).toMatchObject({
    outcome: 'Error',
    reason,
    stages: [{ state: 'not passed' }],
    hooks: [{ outcome: 'answered 200' }],
  });
  expect(bodies().find(({ kind }) => kind === 'ended').text).toBe(`Error: ${reason}`);
});

test('a hook starts any workflow and signals any other, once', async () => {
  const { record, error } = await promote({
    onPromoted: [
      {
        kind: 'start',
        workflowType: 'deploy',
        taskQueue: 'deployers',
        workflowId: 'deploy-1',
        input: { to: 'production' },
      },
      { kind: 'signal', workflowId: 'deploy-0', signal: 'promoted' },
    ],
  });
  expect(error).toBeUndefined();
  expect(record?.hooks).toEqual([
    { hook: 'start of deploy', outcome: 'started as deploy-1' },
    { hook: 'signal promoted to deploy-0', outcome: expect.stringContaining('failed: ') },
  ]);
  const started = env.client.workflow.getHandle('deploy-1');
  expect(await started.describe()).toMatchObject({ type: 'deploy', taskQueue: 'deployers' });
  const signalled = await promote({
    onPromoted: [{ kind: 'signal', workflowId: 'deploy-1', signal: 'promoted' }],
  });
  expect(signalled.record?.hooks).toEqual([{ hook: 'signal promoted to deploy-1', outcome: 'signalled' }]);
  await started.terminate();
});
