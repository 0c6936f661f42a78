import { setTimeout } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/activity';
import type { WorkflowHandle } from '@temporalio/client';
import { expect, test } from 'vitest';
import type { Activities } from '../../src/activities/contract.ts';
import { resultOf } from '../../src/cli/commands/report.ts';
import type { TemporalAccess } from '../../src/cli/connect-temporal.ts';
import { maxKillsOfHistory } from '../../src/experiment/schedule.ts';
import { unpackSpans } from '../../src/experiment/spans.ts';
import { partMs, streamFrom } from '../../src/experiment/stream-part.ts';
import type { Carried } from '../../src/workflows/continue-run.ts';
import { eachOnItsOwnServer, env, seen } from './each-story.ts';
import { healthy, planOf, runStory, untilCancelled } from './story-support.ts';

/**
 * Runs that go on in new histories. A whole day of one kill a minute takes minutes even where time is skipped:
 * LEADERFALL_TEST_KILLS=1440 npm run test:workflow -- long-run
 */
const kills = Number(process.env.LEADERFALL_TEST_KILLS ?? 120);

eachOnItsOwnServer();

const schedule = (count: number) => ({ durationSeconds: count * 60, intervalSeconds: 60 });

/** A proof as long as real ones are; kill 7 is the slowest. */
const prove: Activities['prove'] = async ({ plan }) => ({
  proven: true,
  evidence: ['pod gone', 'the process ended with exit code 143', 'the log says: shut down completed'],
  death: 'controlled-shutdown',
  expectedOutage: { ms: 2_000, because: ['controlled.shutdown.enable is true', 'leadership is handed over'] },
  podGoneAt: plan.deadline + 3_000,
  exitCode: 143,
  newLeader: (plan.broker + 1) % 3,
  newLeaderAt: plan.deadline + 400,
  timeToNewLeaderMs: plan.index === 6 ? 999 : 400,
  timeToFullIsrMs: 21_000,
  replacementUid: '0b5b4c1e-6f0b-4f1c-8a30-2e6f2f2f7c11',
});

interface Part {
  events: number;
  /** What it was given by the one before it. */
  carried?: Carried;
  carriedBytes: number;
}

/** The result as `leaderfall report` reads it, by nothing but the workflow's id. */
async function reportedOf({ workflowId }: WorkflowHandle) {
  const { client, connection } = env;
  const access = { client, connection, namespace: 'default', address: 'nowhere' };
  return await resultOf(access as unknown as TemporalAccess, { workflowId });
}

/** All histories of a run, in order. */
async function partsOf({ workflowId }: WorkflowHandle): Promise<Part[]> {
  const parts: Part[] = [];
  for (let runId: string | undefined = await firstRunOf(workflowId); runId; ) {
    const { events } = await env.client.workflow.getHandle(workflowId, runId).fetchHistory();
    const [, second] = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
    const text = Buffer.from(second?.data ?? []).toString();
    parts.push({
      events: events?.length ?? 0,
      carriedBytes: text.length,
      ...(text ? { carried: JSON.parse(text) as Carried } : {}),
    });
    runId = events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId ?? undefined;
  }
  return parts;
}

async function firstRunOf(workflowId: string): Promise<string | undefined> {
  const history = await env.client.workflow.getHandle(workflowId).fetchHistory();
  return history.events?.[0]?.workflowExecutionStartedEventAttributes?.firstExecutionRunId ?? undefined;
}

test(`${kills} kills, one a minute, need several histories, each of them small, and are judged as one run`, async () => {
  let spans = '';
  const base = healthy(env, seen);
  const closeStream: Activities['closeStream'] = async (request) => {
    spans = request.earlierSpans ?? '';
    return await base.closeStream(request);
  };
  const takePart: Activities['takePart'] = async ({ from, to }) => ({
    until: to,
    changes: { from, to, packed: '' },
  });
  const activities = healthy(env, seen, { prove, closeStream, takePart }, schedule(kills));
  const { result, handle } = await runStory(env, activities);
  expect(result?.verdict).toBe('Pass');
  const first = seen.acts[0]?.deadline ?? 0;
  expect(seen.acts.map(({ index, deadline }) => [index, (deadline - first) / 60_000])).toEqual(
    Array.from({ length: kills }, (_, index) => [index, index]),
  );
  expect(seen.calls.filter((name) => name === 'resolve' || name === 'startLiveness')).toHaveLength(2);

  const parts = await partsOf(handle);
  const largest = Math.max(...parts.map(({ carriedBytes }) => carriedBytes));
  const most = Math.max(...parts.map(({ events }) => events));
  console.log(
    `${kills} kills: ${parts.length} histories, ${most} events at most, ${largest} bytes carried at most`,
  );
  expect(parts).toHaveLength(Math.ceil(kills / maxKillsOfHistory));
  expect(most).toBeLessThanOrEqual(4_000);
  expect(largest).toBeLessThanOrEqual(32 * 1_024);

  // The verdict sees the slowest kill of all, and where every kill's fault could be felt.
  const line = result?.lines?.find(({ id }) => id === 'time-to-new-leader');
  expect(line?.value).toBe(999);
  expect(result?.lines?.find(({ id }) => id === 'kills')?.observed).toBe(String(kills));
  const here = kills - Math.floor((kills - 1) / maxKillsOfHistory) * maxKillsOfHistory;
  expect(unpackSpans(spans)).toHaveLength(kills - here);
  expect((result?.killsElsewhere?.proven ?? 0) + (result?.kills.length ?? 0)).toBe(kills);
  expect(Buffer.byteLength(JSON.stringify(result))).toBeLessThanOrEqual(64 * 1_024);

  const reported = await reportedOf(handle);
  expect(reported?.kills.map(({ index, status }) => `${index} ${status}`)).toEqual(
    seen.acts.map(({ index }) => `${index} proven`),
  );
  expect(reported?.kills.every(({ proof }) => proof?.evidence.length === 3 || proof === undefined)).toBe(
    true,
  );
  expect(reported?.killsElsewhere).toBeUndefined();
  // A part each quarter of an hour, or of a day each hour, and one of what is left; each begins where the one before it ended.
  const stretches = reported?.parts?.map(({ changes }) => [changes?.from, changes?.to]) ?? [];
  const long = partMs(kills * 60_000) ?? Infinity;
  expect(stretches).toHaveLength(Math.floor(((kills - 1) * 60_000) / long) + 1);
  expect(stretches[0]?.[0]).toBe(streamFrom(first));
  for (const [index, [from]] of stretches.entries())
    if (index > 0) expect(from).toBe(stretches[index - 1]?.[1]);
  // Aim, kill and prove each of them; and prepare, close, clean up and record once.
  const all = 3 * kills + 7 + stretches.length;
  expect(reported?.actions).toMatchObject({ starts: parts.length, activities: all });
}, 900_000);

test('a part of the stream that cannot be had is left to the next one, and ends no run', async () => {
  const asked: { from: number; to: number }[] = [];
  const takePart: Activities['takePart'] = async ({ from, to }) => {
    asked.push({ from, to });
    if (asked.length === 1) throw ApplicationFailure.nonRetryable('the pod is gone');
    return asked.length === 2 ? {} : { until: to };
  };
  const { result } = await runStory(env, healthy(env, seen, { takePart }, schedule(20)));
  expect(result?.verdict).toBe('Pass');
  expect(asked.length).toBeGreaterThanOrEqual(4);
  expect(new Set(asked.slice(0, 3).map(({ from }) => from)).size).toBe(1);
  expect(asked[3]?.from).toBe(asked[2]?.to);
});

test('a part that does not come at the border makes no kill late', async () => {
  const release = Promise.withResolvers<void>();
  const last = maxKillsOfHistory;
  const asked: number[] = [];
  const every = { durationSeconds: (last + 1) * 19, intervalSeconds: 19 };
  const base = healthy(env, seen, {}, every);
  const steps: Partial<Activities> = {
    prove,
    // The first one that is due could not be had, so that another one is asked for right at the border.
    takePart: async ({ from }) => {
      asked.push(from);
      if (asked.length > 1)
        await Promise.race([release.promise, setTimeout(25_000, undefined, { ref: false })]);
      return {};
    },
    kill: async (request) => {
      if (request.plan.index === last) release.resolve();
      return await base.kill(request);
    },
  };
  const { handle, result } = await runStory(env, { ...base, ...steps });
  release.resolve();
  expect(await partsOf(handle)).toHaveLength(2);
  expect(asked.length).toBeGreaterThanOrEqual(2);
  expect(result?.verdict).toBe('Pass');
  expect(result?.kills.at(-1)).toMatchObject({ index: last, status: 'proven' });
  expect(result?.kills.at(-1)?.latenessMs).toBeLessThan(1_000);
}, 120_000);

/** Does something when the last kill of the first history is being proven. */
function atBorder(act: (handle: WorkflowHandle) => Promise<unknown>, count: number) {
  const started = Promise.withResolvers<WorkflowHandle>();
  const proveAt: Activities['prove'] = async (request) => {
    if (request.plan.index === maxKillsOfHistory - 1) await act(await started.promise);
    return await prove(request);
  };
  const activities = healthy(env, seen, { prove: proveAt }, schedule(count));
  return runStory(env, activities, async (handle) => started.resolve(handle));
}

test('a recovery that a proof did not live to see is found by the next one, beyond the border too', async () => {
  const sought: number[][] = [];
  const slow = maxKillsOfHistory - 1;
  const base = healthy(env, seen, {}, schedule(maxKillsOfHistory + 2));
  const steps: Partial<Activities> = {
    prove: async (request) => {
      const { timeToFullIsrMs, ...rest } = await prove(request);
      const { unseen = [], plan } = request;
      sought.push(unseen.map(({ index }) => index));
      const recoveries = unseen.map(({ index }) => ({ index, timeToFullIsrMs: 70_000 + index }));
      return {
        ...rest,
        ...(plan.index === 3 || plan.index === slow ? {} : { timeToFullIsrMs }),
        ...(recoveries.length > 0 ? { recoveries } : {}),
      };
    },
  };
  const { handle, result } = await runStory(env, { ...base, ...steps });
  expect(await partsOf(handle)).toHaveLength(2);
  expect(sought.filter((indices) => indices.length > 0)).toEqual([[3], [slow]]);
  expect(result?.kills.find(({ index }) => index === slow)?.proof?.timeToFullIsrMs).toBe(70_000 + slow);
  expect(result?.lines?.find(({ id }) => id === 'time-to-full-isr')).toMatchObject({
    outcome: 'met',
    value: 70_000 + slow,
  });
});

test('what people asked for before the border is done after it', async () => {
  const count = maxKillsOfHistory + 3;
  const { result, handle } = await atBorder(async (run) => {
    await run.executeUpdate('skipNext', { args: [{ actor: 'ann', reason: 'not this one' }] });
    await run.executeUpdate('extend', { args: [{ kills: 2 }] });
  }, count);
  expect(await partsOf(handle)).toHaveLength(2);
  expect(result?.plannedKills).toBe(count + 2);
  expect(seen.acts.map(({ index }) => index)).not.toContain(maxKillsOfHistory);
  expect(seen.acts).toHaveLength(count + 1);
  expect(result?.kills.find(({ index }) => index === maxKillsOfHistory)).toMatchObject({
    status: 'skipped',
    reason: 'skipped by ann: not this one',
  });
  expect(result?.timeline.map(({ text }) => text).join('\n')).toContain('extended by 2 kills');
  const reported = await reportedOf(handle);
  expect(reported?.kills.map(({ index }) => index)).toEqual(Array.from({ length: count + 2 }, (_, i) => i));
});

const enough = [{ actor: 'ann', reason: 'enough' }] as const;

function expectStopped(): void {
  expect(seen.acts).toHaveLength(maxKillsOfHistory);
  expect(seen.calls.slice(-2)).toEqual(['cleanUp', 'record']);
  expect(seen.recorded).toMatchObject({ verdict: 'Stopped', reasons: ['stopped by ann: enough'] });
}

test.each([0, 5])('an abort %d ms after the last proof before the border stops the run', async (ms) => {
  await atBorder(async (run) => {
    // The proof is given meanwhile: the abort meets the first history or the border.
    void setTimeout(ms).then(() => run.signal('abort', ...enough));
  }, maxKillsOfHistory + 40);
  expectStopped();
});

test('an abort right after the border stops the run', async () => {
  const started = Promise.withResolvers<WorkflowHandle>();
  const aim: Activities['aim'] = async ({ index, deadline }) => {
    if (index < maxKillsOfHistory) return { outcome: 'aimed', plan: planOf(index, deadline) };
    await (await started.promise).signal('abort', ...enough);
    return await untilCancelled();
  };
  const activities = healthy(env, seen, { aim, prove }, schedule(maxKillsOfHistory + 40));
  const { handle } = await runStory(env, activities, async (run) => started.resolve(run));
  expectStopped();
  expect(await partsOf(handle)).toHaveLength(2);
});
