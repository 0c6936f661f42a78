import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Activities } from '../../../src/activities/contract.ts';
import type { ActivityDependencies } from '../../../src/activities/dependencies.ts';
import { makeRecord } from '../../../src/activities/record.ts';
import { pauseSchedule } from '../../../src/worker/temporal-facts.ts';
import { main } from '../../support/build.ts';
import { failing, healthy, type Seen } from '../../workflow/story-support.ts';
import { neverLate, realClock, startStoryWorker } from '../story-worker.ts';

/** Schedules on a real Temporal server; the runs they start are the real workflow with steps that need no cluster. */
const folder = mkdtempSync(join(tmpdir(), 'leaderfall-schedules-'));
const id = `s${Date.now()}`;
const taskQueue = `schedule-${id}`;
const short = { durationSeconds: 2, intervalSeconds: 2 };
const experiment = { cluster: { namespace: 'kafka' }, schedule: short };
/** The schedule that the stub of `resolve` gives. */
const unhurried = { ...short, ...neverLate };
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
      (healthy(realClock, seen, overrides, unhurried)[name] as (...args: never[]) => unknown)(...args),
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

/** The step of a real worker. */
const pausing = makeRecord({
  pauseSchedule: (scheduleId: string, note: string) => pauseSchedule(client, scheduleId, note),
  log: { warn: (facts: object) => expect(facts).toBe('no warning') },
} as unknown as ActivityDependencies);

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

test('a schedule is made, listed, paused, updated, resumed, triggered and deleted; its run has the input that a person would give', async () => {
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
  const update = async (content: object) => {
    const done = await leaderfall('schedule', 'update', '-f', file('plain', { when: yearly, ...content }));
    expect([done.exitCode, done.stdout]).toEqual([0, `schedule ${id}-plain updated`]);
    const { state, policies } = await client.schedule.getHandle(`${id}-plain`).describe();
    return [state.paused, state.note, policies.catchupWindow];
  };
  expect(await update({ catchUp: '30s' })).toEqual([true, 'a freeze', 30_000]);
  expect((await leaderfall('schedule', 'resume', `${id}-plain`, '--note', 'over')).exitCode).toBe(0);
  expect(await update({ paused: true, note: 'of the file' })).toEqual([false, 'over', 300_000]);
  expect((await leaderfall('schedule', 'delete', `${id}-plain`)).exitCode).toBe(0);
  const gone = await leaderfall('schedule', 'describe', `${id}-plain`);
  expect([gone.exitCode, gone.stderr]).toEqual([64, expect.stringContaining('there is no schedule')]);
});

test('a run that ends Fail pauses its schedule with a note, which an update keeps; one that passes does not', async () => {
  await leaderfall('schedule', 'create', '-f', file('pausing', { when: yearly, pauseOn: ['fail', 'error'] }));
  const handle = client.schedule.getHandle(`${id}-pausing`);
  expect((await runOf('pausing')).verdict).toBe('Pass');
  expect((await handle.describe()).state.paused).toBe(false);
  const base = healthy(realClock, seen, {}, unhurried);
  overrides = {
    closeStream: async (request) => ({ ...(await base.closeStream(request)), isrFullAtEnd: false }),
    // What the worker does with it, but for the Event.
    record: async ({ result, pause }) => {
      const recorded = await pausing({ result, ...(pause ? { pause } : {}) });
      return await base.record({ result: recorded });
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
  const other = { when: { cron: ['0 4 1 1 *'] }, pauseOn: ['fail'], paused: false, note: 'of the file' };
  expect((await leaderfall('schedule', 'update', '-f', file('pausing', other))).exitCode).toBe(0);
  const updated = await handle.describe();
  expect(updated.spec.calendars?.[0]?.hour).toEqual([{ start: 4, end: 4, step: 1 }]);
  expect([updated.state.paused, updated.state.note]).toEqual([true, state.note]);

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

test('a folder of files is applied: created once, as it is the second time, what differs is said and mended, its own pruned', async () => {
  const own = mkdtempSync(join(folder, 'apply-'));
  const apply = async (...flags: string[]) => {
    const done = await leaderfall('schedule', 'apply', '-f', own, '--owner', id, ...flags);
    return done.stdout.split('\n').filter((line) => line !== '');
  };
  const one = client.schedule.getHandle(`${id}-one`);
  file('one', { when: yearly }, own);
  file('two', { when: yearly }, own);
  expect(await apply('--diff')).toEqual([`create: ${id}-one`, `create: ${id}-two`]);
  await expect(one.describe()).rejects.toThrow();
  expect(await apply()).toEqual([`create: ${id}-one`, `create: ${id}-two`]);
  expect(await apply()).toEqual([`as it is: ${id}-one`, `as it is: ${id}-two`]);

  // By another way than files, such as the Web UI.
  await one.update(({ state, action, policies }) => ({
    ...{ state, policies },
    spec: { cronExpressions: ['0 5 1 1 *'] },
    action: { ...action, args: [{ ...experiment, target: 'controller' }] },
  }));
  const drift = [
    `update: ${id}-one`,
    '  when: "changed in Temporal" → "as it was applied"',
    '  experiment.target: "controller" → nothing',
  ];
  expect((await apply('--diff')).slice(0, 3)).toEqual(drift);
  expect((await apply()).slice(0, 3)).toEqual(drift);
  expect((await one.describe()).action.args).toEqual([experiment]);
  expect(await apply()).toEqual([`as it is: ${id}-one`, `as it is: ${id}-two`]);

  await one.pause('a freeze');
  file('one', { when: { cron: ['0 4 1 1 *'] } }, own);
  rmSync(join(own, 'two.json'));
  expect(await apply()).toEqual([`update: ${id}-one`, '  when.cron: ["0 3 1 1 *"] → ["0 4 1 1 *"]']);
  const { spec, state } = await one.describe();
  expect(spec.calendars?.[0]?.hour).toEqual([{ start: 4, end: 4, step: 1 }]);
  // A run or a person may have paused it with cause.
  expect(state).toMatchObject({ paused: true, note: 'a freeze' });

  // Made from a file, but by nobody whose folder this is.
  await leaderfall('schedule', 'create', '-f', file('theirs', { when: yearly }));
  await expect.poll(() => apply('--prune', '--diff'), { timeout: 30_000 }).toContain(`delete: ${id}-two`);
  await apply('--prune');
  await expect(client.schedule.getHandle(`${id}-two`).describe()).rejects.toThrow();
  expect((await client.schedule.getHandle(`${id}-theirs`).describe()).scheduleId).toBe(`${id}-theirs`);

  rmSync(join(own, 'one.json'));
  const empty = await leaderfall('schedule', 'apply', '-f', own, '--owner', id, '--prune');
  expect([empty.exitCode, empty.stderr]).toEqual([64, expect.stringContaining('holds no schedule')]);
  expect((await one.describe()).scheduleId).toBe(`${id}-one`);
});

test('a schedule that starts somebody else’s workflow is not touched', async () => {
  const scheduleId = `${id}-foreign`;
  const handle = client.schedule.getHandle(scheduleId);
  const action = { type: 'startWorkflow', workflowType: 'backup', taskQueue: 'backups' } as const;
  await client.schedule.create({ scheduleId, action, spec: { cronExpressions: ['0 3 1 1 *'] } });
  const own = mkdtempSync(join(folder, 'foreign-'));
  const path = file('foreign', { when: yearly }, own);
  for (const [...args] of [
    ['apply', '-f', own],
    ['update', '-f', path],
    ['pause', scheduleId],
    ['delete', scheduleId],
  ]) {
    const refused = await leaderfall('schedule', ...args);
    expect([refused.exitCode, refused.stderr]).toEqual([64, expect.stringContaining('it starts backup')]);
  }
  const { action: kept, state } = await handle.describe();
  expect([kept.workflowType, state.paused]).toEqual(['backup', false]);
});

test('every field of a file is in Temporal, and a schedule that is made paused starts nothing', async () => {
  const when = {
    cron: ['15 4 1 1 *'],
    every: [{ interval: '1s', offset: '0s' }],
    calendar: [{ hour: 5, month: 'JULY', dayOfMonth: 4 }],
    except: [{ month: 'AUGUST' }],
    timeZone: 'Europe/Berlin',
  };
  const content = { when: { ...when, jitter: '1s' }, catchUp: '30s', pauseOn: ['fail'] };
  await leaderfall('schedule', 'create', '-f', file('all', { ...content, paused: true, note: 'not yet' }));
  const twin = { ...content, when: { every: when.every } };
  await leaderfall('schedule', 'create', '-f', file('twin', twin));
  const { spec, policies, action, state } = await client.schedule.getHandle(`${id}-all`).describe();
  expect(spec).toMatchObject({
    calendars: expect.arrayContaining([
      expect.objectContaining({ hour: [{ start: 4, end: 4, step: 1 }] }),
      expect.objectContaining({ hour: [{ start: 5, end: 5, step: 1 }] }),
    ]),
    intervals: [{ every: 1_000 }],
    skip: [{ month: [{ start: 'AUGUST' }] }],
    timezone: 'Europe/Berlin',
    jitter: 1_000,
  });
  expect(policies).toMatchObject({ overlap: 'SKIP', catchupWindow: 30_000 });
  expect(action.memo).toMatchObject({ LeaderfallPauseOn: ['fail'] });
  expect(state).toMatchObject({ paused: true, note: 'not yet' });
  const taken = async (name: string) =>
    (await client.schedule.getHandle(`${id}-${name}`).describe()).info.numActionsTaken;
  await expect.poll(() => taken('twin'), { timeout: 30_000 }).toBeGreaterThan(1);
  expect(await taken('all')).toBe(0);
  await client.schedule.getHandle(`${id}-twin`).delete();
});

/** The day of the month on which the clocks of Europe change, in March (3) or October (10). */
function changeOf(year: number, month: 3 | 10): number {
  const last = new Date(Date.UTC(year, month - 1, 31));
  return 31 - last.getUTCDay();
}

test('around both changes of the clock a nightly run is started at most once a night, by calendar and by cron', async () => {
  // Temporal lists the next ten starts: both changes of the year in which both are still to come.
  const now = new Date();
  const year = now.getUTCFullYear() + (now < new Date(Date.UTC(now.getUTCFullYear(), 2, 20)) ? 0 : 1);
  const [spring, autumn] = [changeOf(year, 3), changeOf(year, 10)];
  const nights = (month: string, end: number) => ({
    ...{ hour: 2, minute: 30, month, year },
    dayOfMonth: { start: end - 2, end },
  });
  const ways = {
    calendar: { calendar: [nights('MARCH', spring), nights('OCTOBER', autumn)] },
    cron: { cron: [`30 2 ${spring - 2}-${spring} 3 *`, `30 2 ${autumn - 2}-${autumn} 10 *`] },
  };
  for (const [way, when] of Object.entries(ways)) {
    const path = file(`clock-${way}`, { when: { ...when, timeZone: 'Europe/Berlin' } });
    expect((await leaderfall('schedule', 'create', '-f', path)).stderr).toBe('');
    const { info } = await client.schedule.getHandle(`${id}-clock-${way}`).describe();
    const nightsOf = (month: string) =>
      info.nextActionTimes.map((at) => at.toISOString()).filter((at) => at.startsWith(`${year}-${month}`));
    // A time that the night does not have is left out, and one that it has twice is taken once, the later.
    expect([way, nightsOf('03')]).toEqual([
      way,
      [`${year}-03-${spring - 2}T01:30:00.000Z`, `${year}-03-${spring - 1}T01:30:00.000Z`],
    ]);
    expect([way, nightsOf('10')]).toEqual([
      way,
      [
        `${year}-10-${autumn - 2}T00:30:00.000Z`,
        `${year}-10-${autumn - 1}T00:30:00.000Z`,
        `${year}-10-${autumn}T01:30:00.000Z`,
      ],
    ]);
  }
});
