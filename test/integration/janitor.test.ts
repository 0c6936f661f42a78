import { randomUUID } from 'node:crypto';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeAnnotate } from '../../src/activities/annotate.ts';
import type { Activities } from '../../src/activities/contract.ts';
import type { JanitorReport } from '../../src/activities/janitor-contract.ts';
import { makeSweep } from '../../src/activities/sweep.ts';
import type { TemporalAccess } from '../../src/cli/connect-temporal.ts';
import { janitorFindings } from '../../src/cli/doctor/temporal-findings.ts';
import { janitorSchedule as scheduleOf } from '../../src/cli/schedule/janitor.ts';
import { type RunIdentity, runAnnotations, runLabels, topicName } from '../../src/experiment/identity.ts';
import { takeClaim } from '../../src/kubernetes/lease.ts';
import { holderOf, temporalNamespaceId as namespaceId, runState } from '../../src/worker/temporal-facts.ts';
import { attempt, fakeKafka, type Scene, scene } from '../activities/step-support.ts';
import { main } from '../support/build.ts';
import { startStoryWorker } from './story-worker.ts';

/** The janitor as people start it, on a real Temporal server, with a cluster in memory. */
const taskQueue = `janitor-${Date.now()}`;
const janitorSchedule = scheduleOf(taskQueue);
const expires = Date.now() + 3_600_000;

let connection: Connection;
let client: Client;
/** A worker's connection, whose errors look otherwise than those of a client's. */
let native: NativeConnection;
let asWorker: Client;
let worker: { stop(): Promise<void> };
let at: Scene;
let runs = 0;

beforeAll(async () => {
  connection = await Connection.connect({ address: process.env.TEMPORAL_ADDRESS ?? '127.0.0.1:7233' });
  client = new Client({ connection });
  native = await NativeConnection.connect({ address: process.env.TEMPORAL_ADDRESS ?? '127.0.0.1:7233' });
  asWorker = new Client({ connection: native });
  const sweep = (request: object) => makeSweep(at.deps)(request);
  worker = await startStoryWorker(taskQueue, { sweep } as unknown as Activities);
});

afterAll(async () => {
  await client.schedule
    .getHandle(janitorSchedule)
    .delete()
    .catch(() => {});
  await worker.stop();
  await connection.close();
  await native.close();
});

function leaderfall(...args: string[]) {
  const env = { NO_COLOR: '1', LEADERFALL_TASK_QUEUE: taskQueue };
  return execa(process.execPath, [main, 'janitor', ...args], { reject: false, stdin: 'ignore', env });
}

async function once(): Promise<JanitorReport> {
  const { stdout, stderr, exitCode } = await leaderfall('--once', '--json', '-n', 'kafka');
  expect(exitCode, stderr).toBe(0);
  return JSON.parse(stdout) as JanitorReport;
}

/** A run that goes on for as long as nobody ends it: no worker serves its queue. */
async function startRun(
  workflowExecutionTimeout?: '1s',
): Promise<{ run: RunIdentity; handle: WorkflowHandle }> {
  const workflowId = `${taskQueue}/${runs++}`;
  const handle = await client.workflow.start('kafkaBrokerFailure', {
    workflowId,
    taskQueue: `${taskQueue}-nobody`,
    ...(workflowExecutionTimeout ? { workflowExecutionTimeout } : {}),
  });
  return { run: { temporalNamespace: 'default', workflowId, runId: handle.firstExecutionRunId }, handle };
}

/** A cluster as a run leaves it whose worker and workflow are no more. */
async function clusterOf(run: RunIdentity): Promise<Scene> {
  const made = await scene(fakeKafka());
  Object.assign(made.deps, {
    runState: (owner: string, id?: string) => runState(asWorker, owner, id),
    ownerOfRun: (runId: string) => holderOf(asWorker, runId),
  });
  const { kubernetes, kafka, context } = made;
  const resolved = { ...context.resolved, run, expires };
  const claim = { namespace: 'kafka', statefulSet: 'kafka-kafka', durationSeconds: 600, expires };
  const request = { experiment: resolved.experiment, provisioner: 'existing' };
  await takeClaim({ ...claim, kubernetes, run, request, isClosed: async () => false });
  await attempt(makeAnnotate(made.deps), { ...context, resolved });
  const pod = kubernetes.objects.get('Pod kafka/kafka-liveness');
  Object.assign(pod?.metadata ?? {}, { labels: runLabels(run), annotations: runAnnotations(run, expires) });
  kafka.topics.add(topicName(run, expires));
  kafka.consumerGroups.set(`${topicName(run, expires)}-0`, 0);
  kubernetes.writes.length = 0;
  return made;
}

function expectNothingLeft({ kubernetes, kafka }: Scene): void {
  expect([...kubernetes.objects.keys()].filter((key) => /Lease|liveness/.test(key))).toEqual([]);
  const { annotations } = kubernetes.objects.get('StatefulSet kafka/kafka-kafka')?.metadata ?? {};
  expect(annotations).toEqual({ 'litmuschaos.io/chaos': 'true' });
  expect([...kafka.topics, ...kafka.consumerGroups.keys()]).toEqual([]);
}

test('what a terminated run left is removed; what a live one has made is not touched', async () => {
  const { run, handle } = await startRun();
  at = await clusterOf(run);
  expect((await once()).runs).toMatchObject([{ state: 'live', done: [], leftovers: [] }]);
  expect(at.kubernetes.writes).toEqual([]);
  await handle.terminate('by the test');
  const { runs: swept } = await once();
  expect(swept).toMatchObject([
    { run: `default/${run.workflowId}/${run.runId}`, state: 'ended', leftovers: [] },
  ]);
  expectNothingLeft(at);
});

test('so is what a run left that timed out', async () => {
  const { run, handle } = await startRun('1s');
  at = await clusterOf(run);
  await handle.result().catch(() => {});
  await once();
  expectNothingLeft(at);
});

test('so is what a run left that Temporal has forgotten', async () => {
  const { run, handle } = await startRun();
  at = await clusterOf(run);
  await handle.terminate();
  const execution = { workflowId: run.workflowId, runId: run.runId };
  await client.workflowService.deleteWorkflowExecution({
    namespace: 'default',
    workflowExecution: execution,
  });
  await expect
    .poll(
      () =>
        handle.describe().then(
          () => 'known',
          () => 'forgotten',
        ),
      { timeout: 120_000 },
    )
    .toBe('forgotten');
  await once();
  expectNothingLeft(at);
});

test('what a run of another Temporal has made is not touched before it expires', async () => {
  const { run } = await startRun();
  at = await clusterOf({ ...run, temporalNamespace: 'of-another-temporal' });
  expect((await once()).runs).toMatchObject([
    { state: 'unknown', why: 'its Temporal namespace is not here' },
  ]);
  expect(at.kubernetes.writes).toEqual([]);
});

test('so is it where a namespace of that name is here; what this one has forgotten is removed', async () => {
  const run = { temporalNamespace: 'default', workflowId: 'w', runId: randomUUID() };
  at = await clusterOf({ ...run, temporalNamespaceId: 'of-another-server' });
  expect((await once()).runs).toMatchObject([
    { state: 'unknown', why: 'its Temporal namespace, of the id of-another-server, is not here' },
  ]);
  expect(at.kubernetes.writes).toEqual([]);
  const temporalNamespaceId = await namespaceId(asWorker);
  expect(temporalNamespaceId).toMatch(/^[0-9a-f-]{36}$/);
  at = await clusterOf({ ...run, ...(temporalNamespaceId ? { temporalNamespaceId } : {}) });
  await once();
  expectNothingLeft(at);
});

test('a topic alone is removed as soon as visibility tells that its run is over', async () => {
  const { run, handle } = await startRun();
  at = await scene(fakeKafka());
  Object.assign(at.deps, (await clusterOf(run)).deps, {
    kubernetes: at.kubernetes,
    connectKafka: () => at.kafka,
  });
  at.kubernetes.objects.delete('Pod kafka/kafka-liveness');
  at.kafka.topics.add(topicName(run, expires));
  await handle.terminate();
  const topicsAfterRound = async () => {
    await once();
    return [...at.kafka.topics];
  };
  await expect.poll(topicsAfterRound, { timeout: 60_000, interval: 1_000 }).toEqual([]);
});

test('rounds by a schedule: made, changed, and carried out', async () => {
  const { run, handle } = await startRun();
  at = await clusterOf(run);
  await handle.terminate();
  expect((await leaderfall('--every', '2h', '-n', 'kafka')).stdout).toBe(
    `schedule ${janitorSchedule} created: every 2h`,
  );
  expect((await leaderfall('--every', '1h', '-n', 'kafka')).stdout).toBe(
    `schedule ${janitorSchedule} updated: every 1h`,
  );
  const schedule = client.schedule.getHandle(janitorSchedule);
  expect((await schedule.describe()).spec.intervals).toMatchObject([{ every: 3_600_000 }]);
  await schedule.trigger();
  await expect.poll(() => at.kafka.topics.size, { timeout: 30_000 }).toBe(0);
  await expect
    .poll(() => at.kubernetes.objects.has('Lease kafka/leaderfall-kafka-kafka'), { timeout: 30_000 })
    .toBe(false);
  expectNothingLeft(at);
});

test('a dry run says what would go, for people', async () => {
  const { run, handle } = await startRun();
  at = await clusterOf(run);
  await handle.terminate();
  const { stdout, exitCode } = await leaderfall('--dry-run', '-n', 'kafka');
  expect(exitCode).toBe(0);
  expect(stdout).toContain('would be removed');
  expect(stdout).toContain('Pod kafka/kafka-liveness');
  expect(at.kubernetes.writes).toEqual([]);
});

test('the doctor says why the last round failed', async () => {
  // No namespace is named, none is the worker's own, and its rights find none.
  at = await scene(fakeKafka());
  at.kubernetes.denied.add('list leases');
  expect((await leaderfall('--every', '2h')).exitCode).toBe(0);
  const schedule = client.schedule.getHandle(janitorSchedule);
  const findings = async () => await janitorFindings({ client } as TemporalAccess, taskQueue);
  await schedule.trigger();
  await expect
    .poll(findings, { timeout: 30_000 })
    .toMatchObject([{ state: 'warning', text: expect.stringContaining('does not know where to look') }]);
  await schedule.pause();
  expect(await findings()).toMatchObject([{ state: 'warning', text: expect.stringContaining('is paused') }]);
  await schedule.unpause();
  await leaderfall('--every', '2h', '-n', 'kafka');
  await schedule.trigger();
  await expect.poll(findings, { timeout: 30_000 }).toMatchObject([{ state: 'ok' }]);
});
