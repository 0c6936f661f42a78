import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { execa } from 'execa';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Activities, Resolved } from '../../../src/activities/contract.ts';
import { createPromotionActivities } from '../../../src/activities/promotion.ts';
import type { PromotionRecord } from '../../../src/experiment/promotion/record.ts';
import { cancelRun, findRecord } from '../../../src/worker/temporal-facts.ts';
import { main } from '../../support/build.ts';
import { environmentSteps } from '../../workflow/promotion-support.ts';
import { realClock, startStoryWorker } from '../story-worker.ts';

/**
 * Promotions from the command line on a real Temporal server: a worker of their own, and one for each of two environments. The real
 * workflows; the steps of their runs need no cluster.
 */
const folder = mkdtempSync(join(tmpdir(), 'leaderfall-promotions-'));
const id = `p${Date.now()}`;
const queues = { own: `${id}-own`, staging: `${id}-staging`, production: `${id}-production` };
const fails = new Set<string>();
const inputs: unknown[] = [];

let connection: Connection;
let client: Client;
let environments: { stop(): Promise<void> }[];
let own: { stop(): Promise<void> };

beforeAll(async () => {
  connection = await Connection.connect({ address: process.env.TEMPORAL_ADDRESS ?? '127.0.0.1:7233' });
  client = new Client({ connection });
  environments = await Promise.all(
    (['staging', 'production'] as const).map((name) => {
      const base = environmentSteps(realClock, name, { fails, inputs });
      const activities: Activities = {
        ...base,
        startLiveness: async (request) => ({ ...(await base.startLiveness(request)), ...longOf(request) }),
        aim: async (request) => {
          const aim = await base.aim(request);
          return aim.outcome === 'aimed' ? { ...aim, plan: { ...aim.plan, ...longPodOf(request) } } : aim;
        },
      };
      return startStoryWorker(queues[name], activities);
    }),
  );
  own = await ownWorker();
});

afterAll(async () => {
  await own.stop();
  await Promise.all(environments.map((environment) => environment.stop()));
  await connection.close();
  rmSync(folder, { recursive: true });
});

beforeEach(() => {
  fails.clear();
  inputs.length = 0;
});

/** The longest names that Kubernetes and Kafka have, in the runs of one experiment. */
const isLong = ({ resolved }: { resolved: Resolved }) => resolved.experiment.name === 'long-names';
const longOf = (request: { resolved: Resolved }) => (isLong(request) ? { topic: 't'.repeat(249) } : {});
const longPodOf = (request: { resolved: Resolved }) => (isLong(request) ? { pod: 'p'.repeat(253) } : {});

/** The worker of the promotions themselves, which has no rights anywhere. */
function ownWorker() {
  const activities = createPromotionActivities({
    findRecord: (workflowId) => findRecord(client, workflowId),
    cancelRun: (run) => cancelRun(client, run),
  });
  return startStoryWorker(queues.own, activities);
}

function leaderfall(...args: string[]) {
  return execa(process.execPath, [main, ...args], { reject: false, stdin: 'ignore', env: { NO_COLOR: '1' } });
}

const kills = { name: 'kills', cluster: { namespace: 'kafka' } };
const approval = { kind: 'approval', approvers: [{ name: 'ann', role: 'site reliability' }] };

function file(name: string, { staging = {}, production = {}, ...more }: Record<string, object>): string {
  const path = join(folder, `${name}.json`);
  const stages = [
    {
      name: 'staging',
      environment: { taskQueue: queues.staging },
      hold: '0s',
      experiments: [kills],
      ...staging,
    },
    {
      name: 'production',
      environment: { taskQueue: queues.production },
      hold: '0s',
      proof: { stage: 'staging' },
      experiments: [kills],
      ...production,
    },
  ];
  writeFileSync(path, JSON.stringify({ name, subject: 'orders@sha256:0', stages, ...more }));
  return path;
}

async function start(path: string, ...flags: string[]) {
  return await leaderfall(
    'promote',
    'start',
    '-f',
    path,
    '--actor',
    'carol',
    '--task-queue',
    queues.own,
    ...flags,
  );
}

async function statusOf(workflowId: string): Promise<PromotionRecord> {
  return JSON.parse((await leaderfall('promote', 'status', workflowId, '--json')).stdout);
}

/** The first stage as the live promotion has it; a query, because a command takes a second. */
async function stageOf(workflowId: string) {
  return (await client.workflow.getHandle(workflowId).query<PromotionRecord>('status')).stages[0];
}

async function until(workflowId: string, state: string): Promise<void> {
  await expect.poll(async () => (await stageOf(workflowId))?.state, { timeout: 60_000 }).toBe(state);
}

test('from staging to production over an approval that outlasts its worker, and drawn as it stands', async () => {
  const path = file('whole', { staging: { gates: [approval] } });
  const started = await start(path, '--subject', 'orders@sha256:1');
  const workflowId = started.stdout;
  await until(workflowId, 'waiting');
  const waiting = await leaderfall('promote', 'status', workflowId);
  expect(waiting.exitCode).toBe(0);
  expect(waiting.stdout).toContain('◷ staging  waiting');
  expect(waiting.stdout).toContain('○ production  pending');
  expect(waiting.stdout).toContain('Running  staging waits for approval');

  await own.stop();
  own = await ownWorker();
  const approve = (...who: string[]) =>
    leaderfall('promote', 'approve', workflowId, '--reason', 'fine', ...who);
  const stranger = await approve('--actor', 'eve');
  expect([stranger.exitCode, stranger.stderr]).toEqual([
    3,
    expect.stringContaining('eve is no approver of staging'),
  ]);
  // The very line that is shown.
  const line = /leaderfall( promote approve .*)/.exec(waiting.stdout)?.[1];
  const approved = await execa('sh', ['-c', `${process.execPath} ${main}${line}`], { reject: false });
  expect([approved.exitCode, approved.stdout]).toEqual([0, '1 of 1 approvals of staging']);

  const ended = await leaderfall('promote', 'status', workflowId, '--wait');
  expect(ended.exitCode).toBe(0);
  expect(ended.stdout).toContain('Promoted  orders@sha256:1 passed staging, production');
  expect(ended.stdout).toContain('approved by ann (site reliability)');
  const record = await statusOf(workflowId);
  expect(record.stages.flatMap(({ runs }) => runs.map(({ environment }) => environment))).toEqual([
    'staging',
    'production',
  ]);
  expect(inputs).toEqual([kills, kills]);
});

test('an approval that nobody gives ends as Expired with code 2, a Fail in staging as Rejected with code 1', async () => {
  const expired = await start(
    file('expiring', { staging: { gates: [{ ...approval, expires: '1s' }] } }),
    '--wait',
  );
  expect([expired.exitCode, expired.stdout]).toEqual([
    2,
    expect.stringContaining('0 of 1 approvals came within 1s'),
  ]);
  fails.add('kills');
  const failed = await start(file('failing', {}), '--wait', '--json');
  expect(failed.exitCode).toBe(1);
  expect(JSON.parse(failed.stdout)).toMatchObject({
    outcome: 'Rejected',
    stages: [{}, { state: 'pending', runs: [] }],
  });
});

test('of two approvals that one person gives at one moment, one counts', async () => {
  const gate = { ...approval, needed: 2, approvers: [{ name: 'ann' }, { name: 'bob' }] };
  const { stdout: workflowId } = await start(file('twice', { staging: { gates: [gate] } }));
  await until(workflowId, 'waiting');
  // Both wait for the worker to come back, which gets them together.
  await own.stop();
  const handle = client.workflow.getHandle(workflowId);
  const approve = (actor: string) =>
    handle.executeUpdate<string, [object]>('approve', { args: [{ actor, reason: 'fine' }] });
  const both = Promise.allSettled([approve('ann'), approve('ann')]);
  own = await ownWorker();
  const answers = (await both).map((answer) =>
    answer.status === 'fulfilled' ? answer.value : (answer.reason as Error).cause,
  );
  expect(answers).toContain('1 of 2 approvals of staging');
  expect(answers).toContainEqual(expect.objectContaining({ message: 'ann has approved already' }));
  expect((await stageOf(workflowId))?.gates[0]?.approvals).toHaveLength(1);
  await handle.terminate();
});

test('a proof that has become stale while people were asked is refused', async () => {
  const parts = { staging: { gates: [approval] }, production: { proof: { stage: 'staging', maxAge: '1s' } } };
  const { stdout: workflowId } = await start(file('stale', parts));
  await until(workflowId, 'waiting');
  const passed = Date.parse((await stageOf(workflowId))?.runs[0]?.endedAt ?? '');
  await expect.poll(() => Date.now() - passed, { timeout: 10_000 }).toBeGreaterThan(1_000);
  await leaderfall(
    'promote',
    'approve',
    workflowId,
    '--reason',
    'fine',
    '--actor',
    'ann',
    '--role',
    'site reliability',
  );
  const ended = await leaderfall('promote', 'status', workflowId, '--wait');
  expect([ended.exitCode, ended.stdout]).toEqual([1, expect.stringContaining('older than 1s')]);
  expect(inputs).toEqual([kills]);
});

test('a held stage is retried from the command line, and a promotion is stopped with code 4', async () => {
  fails.add('kills');
  const { stdout: workflowId } = await start(file('held', { staging: { hold: '1h' } }));
  await until(workflowId, 'held');
  const refused = await leaderfall(
    'promote',
    'override',
    workflowId,
    '--reason',
    'hurry',
    '--actor',
    'carol',
  );
  expect([refused.exitCode, refused.stderr]).toEqual([
    3,
    expect.stringContaining('names nobody in overriders'),
  ]);
  const retried = await leaderfall('promote', 'retry', workflowId, '--reason', 'a flake', '--actor', 'ann');
  expect(retried.stdout).toBe('staging begins anew');
  await expect.poll(async () => (await stageOf(workflowId))?.attempt, { timeout: 60_000 }).toBe(2);
  const stop = await leaderfall('promote', 'stop', workflowId, '--reason', 'a release', '--actor', 'ann');
  expect([stop.exitCode, stop.stderr]).toEqual([0, '']);
  const stopped = await leaderfall('promote', 'status', workflowId, '--wait');
  expect([stopped.exitCode, stopped.stdout]).toEqual([
    4,
    expect.stringContaining('Stopped  stopped by ann: a release'),
  ]);
  const again = await leaderfall('promote', 'stop', workflowId, '--reason', 'once more');
  expect([again.exitCode, again.stderr]).toEqual([64, expect.stringContaining('is cancelled already')]);
  expect((await client.workflow.getHandle(workflowId).describe()).status.name).toBe('CANCELLED');
});

test('a promotion is no run to abort; its start can be read by programs', async () => {
  const started = await start(file('no-run', { staging: { gates: [approval] } }), '--json');
  const { workflowId, runId } = JSON.parse(started.stdout);
  const aborted = await Promise.all([
    leaderfall('abort', workflowId, '--reason', 'enough'),
    leaderfall('abort', workflowId),
  ]);
  for (const { exitCode, stderr } of aborted)
    expect([exitCode, stderr]).toEqual([64, expect.stringContaining(`promote stop ${workflowId}`)]);
  const handle = client.workflow.getHandle(workflowId);
  expect(await handle.describe()).toMatchObject({ runId, status: { name: 'RUNNING' } });
  const { events } = await handle.fetchHistory();
  expect(events?.some((event) => event.workflowExecutionCancelRequestedEventAttributes)).toBe(false);
  await handle.terminate();
});

test('a run that no worker takes is asked to stop in time, and the promotion ends', async () => {
  const environment = { taskQueue: `${id}-nobody` };
  const ended = await start(file('nobody', { staging: { environment, within: '1s' } }), '--wait', '--json');
  expect(ended.exitCode).toBe(1);
  const record: PromotionRecord = JSON.parse(ended.stdout);
  expect(record.reason).toBe('staging: kills ended Error: not over within 1s, and asked to stop');
  const run = client.workflow.getHandle(record.stages[0]?.runs[0]?.workflowId ?? '');
  const { events } = await run.fetchHistory();
  expect(events?.some((event) => event.workflowExecutionCancelRequestedEventAttributes)).toBe(true);
  await run.terminate();
});

test('for a CI job: blocks, stops in time, and writes JUnit and a summary, where nothing could be started too', async () => {
  const [junit, summary] = [join(folder, 'ci.xml'), join(folder, 'ci.md')];
  const files = ['--wait', '--junit', junit, '--summary', summary];
  const text = (path: string) => readFileSync(path, 'utf8');

  const passed = await start(file('ci', {}), ...files, '--timeout', '2592000');
  expect([passed.exitCode, passed.stderr]).toEqual([0, '']);
  expect(text(junit)).toMatch(/<testsuite [^>]*tests="5" failures="0" errors="0" skipped="0"/);
  expect(text(summary)).toContain('| staging | passed | kills Pass | auto |');

  fails.add('kills');
  expect((await start(file('ci-fails', {}), ...files)).exitCode).toBe(1);
  expect(text(junit)).toMatch(
    /<testcase[^>]*name="outcome"[^>]*><failure message="staging: kills ended Fail/,
  );
  expect(text(summary)).toContain('## ci-fails: Rejected');

  const held = await start(file('ci-held', { staging: { hold: '1h' } }), ...files, '--timeout', '5');
  expect([held.exitCode, held.stdout]).toEqual([4, expect.stringContaining('not over after 5 s')]);
  expect(text(junit)).toContain('<skipped message="stopped by ');

  const wrong = await start(file('ci-wrong', { staging: { gates: [{ kind: 'approvals' }] } }), ...files);
  expect(wrong.exitCode).toBe(64);
  expect(text(junit)).toContain('errors="1"');
  expect(text(junit)).toContain('type="INPUT_INVALID"');
  expect(text(summary)).toContain('## promotion: INPUT_INVALID');
});

test('promotions are listed, newest first', async () => {
  const names = async () => {
    const rows = JSON.parse((await leaderfall('promote', 'list', '--json', '-n', '100')).stdout);
    return rows.map(({ workflowId }: { workflowId: string }) => workflowId);
  };
  const first = (await start(file('listed-1', {}), '--wait', '--json')).stdout;
  const second = (await start(file('listed-2', {}))).stdout;
  const older = JSON.parse(first).promotion.workflowId;
  // Visibility is a second or two behind.
  await expect.poll(names, { timeout: 30_000 }).toEqual(expect.arrayContaining([older, second]));
  const listed = await names();
  expect(listed.indexOf(second)).toBeLessThan(listed.indexOf(older));
  const table = await leaderfall('promote', 'list', '-n', '1');
  expect(table.stdout.split('\n').filter((line) => line.includes('listed-'))).toHaveLength(1);
});

test('whatever is long in a promotion and its runs is cut to what Temporal takes as a summary', async () => {
  const long = 'long-'.repeat(50).slice(0, -1);
  const workflowId = `${id}-${long}`;
  const experiments = [{ ...kills, name: 'long-names' }];
  const started = await start(
    file('long', { staging: { experiments }, production: { experiments } }),
    ...['--subject', 'é'.repeat(500), '--workflow-id', workflowId, '--wait', '--json'],
  );
  expect([started.exitCode, started.stderr]).toEqual([0, '']);
  const runs = (JSON.parse(started.stdout) as PromotionRecord).stages.flatMap(({ runs }) => runs);
  const ids = [workflowId, ...runs.map((run) => run.workflowId)];
  const lines: string[] = [];
  for (const one of ids) {
    const { events } = await client.workflow.getHandle(one).fetchHistory();
    for (const event of events ?? [])
      lines.push(Buffer.from(event.userMetadata?.summary?.data ?? []).toString());
  }
  expect(lines.filter((line) => line.endsWith('…"'))).toHaveLength(3);
  // Temporal's own limit, but for what says how the line is encoded.
  expect(lines.filter((line) => Buffer.byteLength(line) > 370)).toEqual([]);
});

test('wrong files and unknown promotions are usage errors', async () => {
  const wrong = await start(file('wrong', { staging: { gates: [{ kind: 'approvals' }] } }));
  expect([wrong.exitCode, wrong.stderr]).toEqual([64, expect.stringContaining('stages.0.gates.0')]);
  const unknown = await leaderfall('promote', 'status', 'never-was');
  expect([unknown.exitCode, unknown.stderr]).toEqual([
    64,
    expect.stringContaining('there is no promotion never-was'),
  ]);
});
