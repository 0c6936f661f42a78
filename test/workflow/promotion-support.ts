import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import type { Activities, Resolved } from '../../src/activities/contract.ts';
import { createPromotionActivities, type PromotionDependencies } from '../../src/activities/promotion.ts';
import type { PromotionRecord } from '../../src/experiment/promotion/record.ts';
import { cancelRun, findRecord } from '../../src/worker/temporal-facts.ts';
import { workflowCode } from '../support/build.ts';
import { healthy, untilCancelled } from './story-support.ts';

/** Short runs: one kill each. */
const short = { durationSeconds: 2, intervalSeconds: 2 };

/** Steps of an environment's worker. Its runs pass, but for those of experiments that `fails` names. */
export function environmentSteps(
  clock: { currentTimeMs(): Promise<number> },
  name: string,
  { fails, inputs }: { fails: Set<string>; inputs: unknown[] },
  overrides: Partial<Activities> = {},
): Activities {
  const base = healthy(clock, { calls: [], acts: [] }, {}, short);
  const called = ({ resolved }: { resolved: Resolved }) => resolved.experiment.name;
  return healthy(
    clock,
    { calls: [], acts: [] },
    {
      resolve: async (input) => {
        inputs.push(input);
        const resolved = await base.resolve(input);
        const named = { name: (input as { name: string }).name, environment: name };
        return { ...resolved, experiment: { ...resolved.experiment, ...named } };
      },
      closeStream: async (request) => ({
        ...(await base.closeStream(request)),
        isrFullAtEnd: !fails.has(called(request)),
      }),
      ...overrides,
    },
    short,
  );
}

/**
 * A proof that lasts until it is cancelled, and the moment in which as many as `runs` have begun. A cancel has to wait for that: the
 * time-skipping server never ends a step that is cancelled before a worker has taken it.
 */
export function lastingProof(runs = 1): { prove: () => Promise<never>; begun: Promise<void> } {
  const { promise: begun, resolve } = Promise.withResolvers<void>();
  let count = 0;
  const prove = async () => {
    if (++count === runs) resolve();
    return await untilCancelled();
  };
  return { prove, begun };
}

/** A request that a hook or a channel has sent. */
export interface Request {
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

/** Takes requests; `answers` are the statuses of those to come, then 200. */
export async function httpServer(): Promise<{
  url: string;
  requests: Request[];
  answers: number[];
  server: Server;
}> {
  const requests: Request[] = [];
  const answers: number[] = [];
  const server = createServer(async (request, response) => {
    requests.push({ path: request.url ?? '', headers: request.headers, body: await text(request) });
    response.writeHead(answers.shift() ?? 200).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests, answers, server };
}

/** A folder of secrets. */
export function secretsFolder(secrets: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'leaderfall-secrets-'));
  for (const [name, value] of Object.entries(secrets)) writeFileSync(join(folder, name), `${value}\n`);
  return folder;
}

let count = 0;

/** What a promotion of a test was given and how it ended. */
export interface Ended {
  handle: WorkflowHandle;
  record?: PromotionRecord;
  error?: WorkflowFailedError;
}

/** Runs a promotion with a worker of its own and one for each of the queues `staging` and `production`. */
export async function promoteStory(
  env: TestWorkflowEnvironment,
  steps: { staging: Activities; production: Activities },
  spec: (queues: { staging: string; production: string }) => object,
  during: (handle: WorkflowHandle) => Promise<void> = async () => {},
  settings: Partial<PromotionDependencies> = {},
): Promise<Ended> {
  const id = `promotion-${count++}`;
  const connection = env.nativeConnection;
  const bundle = await workflowCode();
  const worker = (taskQueue: string, activities: object, withStories = true) =>
    Worker.create({
      connection,
      taskQueue,
      activities,
      maxHeartbeatThrottleInterval: '50ms',
      defaultHeartbeatThrottleInterval: '50ms',
      ...(withStories ? { workflowBundle: bundle } : {}),
    });
  const own = createPromotionActivities({
    findRecord: (workflowId) => findRecord(env.client, workflowId),
    cancelRun: (run) => cancelRun(env.client, run),
    ...settings,
  });
  const queues = { staging: `${id}-staging`, production: `${id}-production` };
  const workers = await Promise.all([
    worker(id, own),
    ...(['staging', 'production'] as const).flatMap((name) => [
      worker(queues[name], steps[name]),
      worker(`${queues[name]}-critical`, steps[name], false),
    ]),
  ]);
  const running = workers.map((one) => one.run());
  try {
    const handle = await env.client.workflow.start('promotion', {
      taskQueue: id,
      workflowId: id,
      args: [spec(queues)],
    });
    try {
      // Time is skipped only while a result is waited for: what a test does comes before that.
      await during(handle);
      return { handle, record: (await handle.result()) as PromotionRecord };
    } catch (error) {
      if (error instanceof WorkflowFailedError) return { handle, error };
      throw error;
    }
  } finally {
    for (const one of workers) one.shutdown();
    await Promise.all(running);
  }
}
