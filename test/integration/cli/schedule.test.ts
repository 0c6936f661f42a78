import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Activities } from '../../../src/activities/contract.ts';
import { failing, healthy, type Seen } from '../../workflow/story-support.ts';
import { realClock, startStoryWorker } from '../story-worker.ts';

/** Schedules on a real Temporal server; the runs they start are the real workflow with steps that need no cluster. */
const main = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'leaderfall-schedules-'));
const id = `s${Date.now()}`;
const taskQueue = `schedule-${id}`;
const short = { durationSeconds: 2, intervalSeconds: 2 };
const experiment = { cluster: { namespace: 'kafka' }, schedule: short };
/** Far enough off that nothing is started but by the test. */
const yearly = { cron: ['0 3 1 1 *'] };

let connection: Connection;
let client: Client;
let worker: { stop(): Promise<void> };
let seen: Seen;
/** Steps that behave otherwise, by test. */
let overrides: Partial<Activities> = {};

beforeAll(async () => {
  connection = await Connection.connect({ address: process.env.TEMPORAL_ADDRESS ?? '127.0.0.1:7233' });
  client = new Client({ connection });
  seen = { calls: [], acts: [] };
  const names = Object.keys(healthy(realClock, seen)) as (keyof Activities)[];
  // Looked up at each call, so that a test can decide what a step does.
  const steps = names.map((name) => [
    name,
    (...args: never[]) =>
      (healthy(realClock, seen, overrides, short)[name] as (...args: never[]) => unknown)(...args),
  ]);
  worker = await startStoryWorker(taskQueue, Object.fromEntries(steps) as Activities);
});

afterAll(async () => {
  for await (const { scheduleId } of client.schedule.list())
    if (scheduleId.startsWith(id)) await client.schedule.getHandle(scheduleId).delete();
  await worker.stop();
  await connection.close();
  rmSync(folder, { recursive: true });
});

function leaderfall(...args: string[]) {
  return execa(process.execPath, [main, ...args], { reject: false, stdin: 'ignore', env: { NO_COLOR: '1' } });
}

function file(name: string, content: object, where = folder): string {
  const path = join(where, `${name}.json`);
  writeFileSync(path, JSON.stringify({ name: `${id}-${name}`, taskQueue, experiment, ...content }));
  return path;
}

/** Starts a run of a schedule and waits until it has ended; gives its result. */
async function runOf(name: string): Promise<{ workflowId: string; verdict: string; status: string }> {
  const handle = client.schedule.getHandle(`${id}-${name}`);
  const before = (await handle.describe()).info.numActionsTaken;
  expect((await leaderfall('schedule', 'trigger', `${id}-${name}`)).exitCode).toBe(0);
  await expect
    .poll(async () => (await handle.describe()).info.numActionsTaken, { timeout: 30_000 })
    .toBe(before + 1);
  const { workflow } = (await handle.describe()).info.recentActions.at(-1)?.action ?? {};
  const run = client.workflow.getHandle(workflow?.workflowId ?? '', workflow?.firstExecutionRunId);
  await run.result().catch(() => {});
  const { status } = await run.describe();
  return { workflowId: run.workflowId, verdict: seen.recorded?.verdict ?? '', status: status.name };
}

test('a schedule is made, listed, paused, resumed, triggered and deleted; its run has the input that a person would give', async () => {
  const made = await leaderfall('schedule', 'create', '-f', file('plain', { when: yearly }));
  expect([made.exitCode, made.stdout]).toEqual([0, `schedule ${id}-plain created`]);
  const again = await leaderfall('schedule', 'create', '-f', join(folder, 'plain.json'));
  expect([again.exitCode, again.stderr]).toEqual([64, expect.stringContaining('is there already')]);
  await expect
    .poll(async () => (await leaderfall('schedule', 'list')).stdout, { timeout: 30_000 })
    .toContain(`${id}-plain`);

  const run = await runOf('plain');
  expect([run.verdict, run.status]).toEqual(['Pass', 'COMPLETED']);
  const { events } = await client.workflow.getHandle(run.workflowId).fetchHistory();
  const [payload] = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
  expect(JSON.parse(Buffer.from(payload?.data ?? []).toString())).toEqual(experiment);

  expect((await leaderfall('schedule', 'pause', `${id}-plain`, '--note', 'a freeze')).exitCode).toBe(0);
  const paused = JSON.parse((await leaderfall('schedule', 'describe', `${id}-plain`)).stdout);
  expect(paused.state).toMatchObject({ paused: true, note: 'a freeze' });
  expect(paused.policies).toMatchObject({ overlap: 'SKIP', catchupWindow: 300_000 });
  expect((await leaderfall('schedule', 'resume', `${id}-plain`)).exitCode).toBe(0);
  expect((await leaderfall('schedule', 'delete', `${id}-plain`)).exitCode).toBe(0);
  const gone = await leaderfall('schedule', 'describe', `${id}-plain`);
  expect([gone.exitCode, gone.stderr]).toEqual([64, expect.stringContaining('there is no schedule')]);
});

test('a run that ends Fail pauses its schedule with a note; one that passes does not', async () => {
  await leaderfall('schedule', 'create', '-f', file('pausing', { when: yearly, pauseOn: ['fail', 'error'] }));
  const handle = client.schedule.getHandle(`${id}-pausing`);
  expect((await runOf('pausing')).verdict).toBe('Pass');
  expect((await handle.describe()).state.paused).toBe(false);
  const base = healthy(realClock, seen, {}, short);
  overrides = {
    closeStream: async (request) => ({ ...(await base.closeStream(request)), isrFullAtEnd: false }),
    // What the worker does with it.
    record: async (request) => {
      if (request.pause) await client.schedule.getHandle(request.pause.scheduleId).pause(request.pause.note);
      return await base.record(request);
    },
  };
  const run = await runOf('pausing');
  overrides = {};
  expect([run.verdict, run.status]).toEqual(['Fail', 'COMPLETED']);
  const { state } = await handle.describe();
  expect(state).toMatchObject({
    paused: true,
    note: expect.stringContaining('which ended Fail: not all replicas were in sync'),
  });

  // Visibility is a second or two behind.
  const history = () => leaderfall('history', '--schedule', `${id}-pausing`, '--json');
  const verdicts = async () =>
    JSON.parse((await history()).stdout).runs.map(({ verdict }: { verdict: string }) => verdict);
  await expect.poll(verdicts, { timeout: 30_000 }).toEqual(['Pass', 'Fail']);
  const table = await leaderfall('history', '--schedule', `${id}-pausing`);
  expect([table.exitCode, table.stdout]).toEqual([0, expect.stringContaining('1 Pass, 1 Fail')]);
  const page = await leaderfall('history', '--schedule', `${id}-pausing`, '--html');
  expect([page.exitCode, page.stdout]).toEqual([0, expect.stringMatching(/^<!doctype html>.*<svg/s)]);
});

test('a scheduled run that finds the cluster taken or unhealthy is Skipped and touches nothing', async () => {
  await leaderfall('schedule', 'create', '-f', file('skipping', { when: yearly }));
  for (const code of ['CLUSTER_CLAIMED', 'CLUSTER_UNHEALTHY']) {
    overrides = { resolve: failing(code, 'resolve') };
    seen.calls.length = 0;
    const run = await runOf('skipping');
    expect([run.verdict, run.status]).toEqual(['Skipped', 'COMPLETED']);
    expect(seen.calls).toEqual(['resolve', 'record']);
  }
  overrides = {};
});

test('a run is left out while another of the schedule goes on', async () => {
  await leaderfall('schedule', 'create', '-f', file('overlap', { when: yearly }));
  const handle = client.schedule.getHandle(`${id}-overlap`);
  const going = Promise.withResolvers<void>();
  overrides = { prove: async () => going.promise.then(() => ({ proven: true, evidence: [] })) };
  const info = async () => (await handle.describe()).info;
  try {
    await leaderfall('schedule', 'trigger', `${id}-overlap`);
    await expect.poll(async () => (await info()).runningActions.length, { timeout: 30_000 }).toBe(1);
    await leaderfall('schedule', 'trigger', `${id}-overlap`);
    await expect.poll(async () => (await info()).numActionsSkippedOverlap, { timeout: 30_000 }).toBe(1);
    expect((await info()).numActionsTaken).toBe(1);
  } finally {
    going.resolve();
    overrides = {};
  }
});

test('a folder of files is applied: created once, as it is the second time, updated, pruned; a difference is only said', async () => {
  const own = mkdtempSync(join(folder, 'apply-'));
  const apply = async (...flags: string[]) =>
    (await leaderfall('schedule', 'apply', '-f', own, ...flags)).stdout
      .split('\n')
      .filter((line) => line.includes(`${id}-`));
  file('one', { when: yearly }, own);
  file('two', { when: yearly }, own);
  expect(await apply('--diff')).toEqual([`create: ${id}-one`, `create: ${id}-two`]);
  await expect(client.schedule.getHandle(`${id}-one`).describe()).rejects.toThrow();
  expect(await apply()).toEqual([`create: ${id}-one`, `create: ${id}-two`]);
  expect(await apply()).toEqual([`as it is: ${id}-one`, `as it is: ${id}-two`]);
  file('one', { when: { cron: ['0 4 1 1 *'] } }, own);
  rmSync(join(own, 'two.json'));
  expect(await apply()).toEqual([`update: ${id}-one`]);
  const { spec } = await client.schedule.getHandle(`${id}-one`).describe();
  expect(spec.calendars?.[0]?.hour).toEqual([{ start: 4, end: 4, step: 1 }]);
  await expect.poll(() => apply('--prune', '--diff'), { timeout: 30_000 }).toContain(`delete: ${id}-two`);
  await apply('--prune');
  await expect(client.schedule.getHandle(`${id}-two`).describe()).rejects.toThrow();
});

test('around both changes of the clock a nightly run is started at most once a night', async () => {
  // 2027-03-28 has no 02:30 in Berlin; 2027-10-31 has it twice.
  const nights = {
    hour: 2,
    minute: 30,
    month: ['MARCH', 'OCTOBER'],
    dayOfMonth: { start: 27, end: 31 },
    year: 2027,
  };
  const when = { calendar: [nights], timeZone: 'Europe/Berlin' };
  const made = await leaderfall('schedule', 'create', '-f', file('clock', { when }));
  expect(made.stderr).toBe('');
  const { info } = await client.schedule.getHandle(`${id}-clock`).describe();
  const nightsOf = (month: string) =>
    info.nextActionTimes.map((at) => at.toISOString()).filter((at) => at.startsWith(month));
  // A time that the night does not have is left out, and one that it has twice is taken once, the later.
  expect(nightsOf('2027-03')).toEqual([
    '2027-03-27T01:30:00.000Z',
    '2027-03-29T00:30:00.000Z',
    '2027-03-30T00:30:00.000Z',
    '2027-03-31T00:30:00.000Z',
  ]);
  expect(nightsOf('2027-10').slice(-2)).toEqual(['2027-10-30T00:30:00.000Z', '2027-10-31T01:30:00.000Z']);
});
