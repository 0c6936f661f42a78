import { readFileSync } from 'node:fs';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { ensureKafka, oneKill } from '../support/kafka.ts';
import { expectNothingLeft } from '../support/nothing-left.ts';
import { startRoleWorker } from '../support/rights.ts';
import { brokerDeletions, runExperiment, setting, type WorkerProcess } from '../support/testbed.ts';

const taskQueue = 'e2e-clock';
const user = 'system:serviceaccount:leaderfall:leaderfall-worker';
const shiftedClock = new URL('../support/shifted-clock.ts', import.meta.url).href;
/** From the steady stream to the first deadline. ms */
const firstKillMs = 1_000;
/** What a busy machine may take beyond what a clock explains. ms */
const busyMs = 2_000;
let worker: WorkerProcess | undefined;

beforeAll(ensureKafka);

afterEach(async () => {
  await worker?.stop();
  worker = undefined;
});

/** Runs an experiment by a worker whose clock is so much ahead of everybody else's; `since`: epoch ms, the worker was there. */
async function runBy(aheadMs: number, experiment: object) {
  const NODE_OPTIONS = `--import=${shiftedClock}`;
  worker = await startRoleWorker(taskQueue, ['target'], { NODE_OPTIONS, CLOCK_AHEAD_MS: String(aheadMs) });
  const since = Date.now();
  const workflowId = `e2e-clock-${since}`;
  return { since, ...(await runExperiment(experiment, { taskQueue, workflowId })) };
}

/** What the worker has written since an epoch ms, by the API server's audit log, as `verb resource`. */
function writesSince(since: number): string[] {
  return readFileSync(setting('TESTBED_AUDIT_LOG'), 'utf8')
    .split('\n')
    .filter((line) => line.includes(`"username":"${user}"`))
    .map(
      (line) =>
        JSON.parse(line) as {
          verb: string;
          requestReceivedTimestamp: string;
          objectRef?: { resource?: string };
        },
    )
    .filter(({ requestReceivedTimestamp }) => Date.parse(requestReceivedTimestamp) >= since)
    .filter(({ verb }) => ['create', 'update', 'patch', 'delete', 'deletecollection'].includes(verb))
    .map(({ verb, objectRef }) => `${verb} ${objectRef?.resource}`);
}

test('a worker whose clock is 3 s ahead: Pass, the planned kill and no other, off by no more than its clock, nothing left', async () => {
  const aheadMs = 3_000;
  const { since, code, result, stderr } = await runBy(aheadMs, oneKill);
  expect(result?.verdict, `${result?.reasons.join('\n')}\n${stderr.slice(-3_000)}`).toBe('Pass');
  expect(code).toBe(0);
  const kills = result?.kills ?? [];
  expect(kills.map(({ status }) => status)).toEqual(['proven']);
  const deletions = brokerDeletions(since);
  expect(deletions).toEqual(
    kills.map(({ plan }) => ({ pod: plan?.pod, at: expect.any(Number), status: 200 })),
  );
  // By the workflow's clock, which is the Temporal server's.
  const steady = result?.timeline.find(({ text }) => text.startsWith('stream steady'));
  const [{ at } = { at: Number.NaN }] = deletions;
  const { plan, act } = kills[0] ?? {};
  const offMs = at - Date.parse(steady?.at ?? '') - firstKillMs - (plan?.guardWaitMs ?? 0);
  // The workflow hears a moment later that the stream is steady.
  expect(offMs).toBeGreaterThan(-firstKillMs);
  // A deadline by a clock that is ahead is reached by Temporal's only when it is past.
  expect(offMs).toBeLessThan(aheadMs + busyMs);
  const requestedAt = act?.outcome === 'deleted' ? act.requestedAt : Number.NaN;
  expect(Math.abs(requestedAt - at - aheadMs), 'the worker’s clock was off').toBeLessThan(1_000);
  if (result) await expectNothingLeft(result.run);
});

test.each([
  ['ahead of', 8_000],
  ['behind', -8_000],
])(
  'a worker whose clock is 8 s %s the API server’s: Error that says so, before anything is touched',
  async (side, aheadMs) => {
    const { since, code, result, stderr } = await runBy(aheadMs, oneKill);
    expect(code, stderr.slice(-2_000)).toBe(3);
    expect(result).toMatchObject({
      verdict: 'Error',
      failStep: 'resolve',
      problem: { code: 'CLOCK_SKEWED', message: expect.stringMatching(new RegExp(`\\d s ${side} the API`)) },
      kills: [],
      leftovers: [],
    });
    expect(brokerDeletions(since)).toEqual([]);
    expect(writesSince(since)).toEqual([]);
    if (result) await expectNothingLeft(result.run);
  },
);
