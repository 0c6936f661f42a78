import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Activities } from '../../src/activities/contract.ts';
import { eachOnItsOwnServer, env, handle, seen } from './each-story.ts';
import { healthy, last, runStory } from './story-support.ts';

eachOnItsOwnServer();

const everyTen = { durationSeconds: 30, intervalSeconds: 10 };
const asked = { actor: 'ann', reason: 'a release' };

/** Sends a request to the run from inside one of its steps, where the server's clock does not jump. */
async function ask(request: string, input: object = asked): Promise<string> {
  return await (await handle.promise).executeUpdate<string, [object]>(request, { args: [input] });
}

/** Runs a story in which one step, of kill `index`, does something besides. */
async function story(overrides: Partial<Activities>, schedule = everyTen) {
  return await runStory(env, healthy(env, seen, overrides, schedule), async (started) =>
    handle.resolve(started),
  );
}

/** Sends a request until it is taken: as soon as the proof of a kill has ended and the next one is waited for. */
async function onceTaken(request: string): Promise<string> {
  for (;;) {
    const answer = await ask(request).catch(() => undefined);
    if (answer !== undefined) return answer;
    await delay(50);
  }
}

const proven = { proven: true, evidence: ['gone'] };

/** Does something while kill `index` is being proven. */
function whileProving(index: number, act: () => Promise<unknown>): Partial<Activities> {
  return {
    prove: async ({ plan }) => {
      if (plan.index === index) await act();
      return proven;
    },
  };
}

test('skipNext leaves out exactly the next kill and says who wanted it; the run cannot pass', async () => {
  const { result } = await story(whileProving(0, () => ask('skipNext')));
  expect(seen.acts.map(({ index }) => index)).toEqual([0, 2]);
  expect(result?.kills[1]).toMatchObject({ status: 'skipped', reason: 'skipped by ann: a release' });
  expect(result?.verdict).toBe('Inconclusive');
});

test('a pause moves all later deadlines by as long as it lasted', async () => {
  let answer = '';
  const { result } = await story(
    whileProving(0, async () => {
      await ask('pause');
      await last(1);
      answer = await ask('resume');
    }),
  );
  const heldMs = Number(/by (\d+) ms/.exec(answer)?.[1]);
  expect(heldMs).toBeGreaterThanOrEqual(1_000);
  const [first = 0, ...later] = seen.acts.map(({ deadline }) => deadline);
  expect(later.map((deadline) => deadline - first)).toEqual([10_000 + heldMs, 20_000 + heldMs]);
  expect(result?.verdict).toBe('Pass');
});

test('a pause asked for while the guard waits holds a kill that was already aimed at; it is aimed at anew', async () => {
  let aims = 0;
  let resumed: Promise<string> | undefined;
  const base = healthy(env, seen, {}, everyTen);
  const aim: Activities['aim'] = async (request) => {
    if (aims++ === 0) {
      await ask('pause');
      // While it is paused no step runs, and the server's clock would jump to the end of the pause's patience.
      await env.connection.testService?.lockTimeSkipping({});
      resumed = delay(500)
        .then(() => ask('resume'))
        .finally(() => env.connection.testService?.unlockTimeSkipping({}));
    }
    return await base.aim(request);
  };
  const { result } = await story({ aim });
  await resumed;
  expect(aims).toBe(4);
  expect(seen.acts.map(({ index }) => index)).toEqual([0, 1, 2]);
  expect(result?.timeline.map(({ text }) => text)).toContain('paused by ann: a release');
});

test('skipNext asked for while the guard holds a kill leaves out that one', async () => {
  const base = healthy(env, seen, {}, everyTen);
  const aim: Activities['aim'] = async (request) => {
    if (request.index === 1) await ask('skipNext');
    return await base.aim(request);
  };
  const { result } = await story({ aim });
  expect(seen.acts.map(({ index }) => index)).toEqual([0, 2]);
  expect(result?.kills[1]).toMatchObject({ status: 'skipped', reason: 'skipped by ann: a release' });
});

test('what the guard had a kill wait before a pause held it is not its lateness', async () => {
  const quick = { durationSeconds: 2, intervalSeconds: 2, late: { runIfWithinSeconds: 1 } };
  const base = healthy(env, seen, {}, quick);
  const waits: unknown[] = [];
  let resumed: Promise<string> | undefined;
  const aim: Activities['aim'] = async (request) => {
    waits.push(request.waited);
    const aimed = await base.aim(request);
    if (waits.length > 1 || aimed.outcome !== 'aimed') return aimed;
    await last(4);
    await ask('pause');
    await env.connection.testService?.lockTimeSkipping({});
    resumed = delay(300)
      .then(() => ask('resume'))
      .finally(() => env.connection.testService?.unlockTimeSkipping({}));
    return { outcome: 'aimed', plan: { ...aimed.plan, guardWaitMs: 3_000, guardReasons: ['not in sync'] } };
  };
  const { result } = await story({ aim }, quick);
  await resumed;
  expect(waits).toEqual([undefined, { guardWaitMs: expect.any(Number), guardReasons: ['not in sync'] }]);
  expect(result?.kills).toMatchObject([{ status: 'proven' }]);
});

test('a pause that is over before the stream is steady moves no deadline', async () => {
  const base = healthy(env, seen, {}, everyTen);
  let steadyAt = 0;
  let answer = '';
  const startLiveness: Activities['startLiveness'] = async (request) => {
    await ask('pause');
    await last(1);
    answer = await ask('resume');
    const liveness = await base.startLiveness(request);
    ({ steadyAt } = liveness);
    return liveness;
  };
  await story({ startLiveness });
  expect(answer).toBe('resumed: later deadlines moved by 0 ms');
  expect(seen.acts.map(({ deadline }) => deadline - steadyAt)).toEqual([0, 10_000, 20_000]);
});

test('a pause that begins before the stream is steady holds the kills from then on', async () => {
  const base = healthy(env, seen, {}, everyTen);
  let [steadyAt, steadyFrom, until] = [0, 0, 0];
  let answer = '';
  let resumed: Promise<void> | undefined;
  const startLiveness: Activities['startLiveness'] = async (request) => {
    await ask('pause');
    await last(3);
    const liveness = await base.startLiveness(request);
    ({ steadyAt } = liveness);
    await env.connection.testService?.lockTimeSkipping({});
    steadyFrom = await env.currentTimeMs();
    resumed = delay(1_000)
      .then(async () => {
        answer = await ask('resume');
        until = await env.currentTimeMs();
      })
      .finally(() => env.connection.testService?.unlockTimeSkipping({}));
    return liveness;
  };
  await story({ startLiveness });
  await resumed;
  const heldMs = Number(/by (\d+) ms/.exec(answer)?.[1]);
  expect(seen.acts[0]?.deadline).toBe(steadyAt + heldMs);
  expect(heldMs).toBeLessThanOrEqual(until - steadyFrom);
});

test('killNow leaves the fault the time that it needs to get ready', async () => {
  const hour = { durationSeconds: 7_200, intervalSeconds: 3_600 };
  const base = healthy(env, seen, {}, hour);
  const leads: number[] = [];
  let asking: Promise<string> | undefined;
  const { result } = await story(
    {
      resolve: async (input) => ({ ...(await base.resolve(input)), leadMs: 8_000 }),
      prove: async ({ plan }) => {
        if (plan.index === 0) {
          await env.connection.testService?.lockTimeSkipping({});
          asking = onceTaken('killNow').finally(() => env.connection.testService?.unlockTimeSkipping({}));
        }
        return proven;
      },
      aim: async (request) => {
        leads.push(request.deadline - (await env.currentTimeMs()));
        return await base.aim(request);
      },
    },
    hour,
  );
  await asking;
  expect(leads[1]).toBeGreaterThan(6_000);
  expect(result?.kills[1]).toMatchObject({ status: 'proven' });
});

test('a pause that nobody ends skips the kills that are left and ends the run', async () => {
  const { result } = await story(whileProving(0, () => ask('pause')));
  expect(seen.acts.map(({ index }) => index)).toEqual([0]);
  expect(result?.kills.slice(1).map(({ status, reason }) => [status, reason])).toEqual([
    ['skipped', expect.stringContaining('paused by ann (a release)')],
    ['skipped', expect.stringContaining('paused by ann (a release)')],
  ]);
  expect(result?.verdict).toBe('Inconclusive');
  expect(seen.calls.slice(-2)).toEqual(['cleanUp', 'record']);
});

test('extend adds kills at the rhythm of the others', async () => {
  const { result } = await story(whileProving(1, () => ask('extend', { kills: 2, ...asked })));
  const first = seen.acts[0]?.deadline ?? 0;
  expect(seen.acts.map(({ deadline }) => (deadline - first) / 1_000)).toEqual([0, 10, 20, 30, 40]);
  expect(result?.plannedKills).toBe(5);
});

test('a run that needs all its kills needs those too by which it was extended', async () => {
  const { result } = await story(
    whileProving(0, async () => {
      await ask('extend', { kills: 1, ...asked });
      await ask('skipNext');
    }),
  );
  expect(seen.acts.map(({ index }) => index)).toEqual([0, 2, 3]);
  expect(result?.verdict).toBe('Inconclusive');
  expect(result?.reasons).toContain('3 of at least 4 kills proven');
});

test('a request that cannot be done is rejected with the reason and changes nothing', async () => {
  const refused: string[] = [];
  const refusal = async (request: string, input?: object) => {
    const cause = await ask(request, input).catch((error: { cause?: Error }) => error.cause);
    refused.push(cause instanceof Error ? cause.message : 'was taken');
  };
  const { result } = await story(
    whileProving(0, async () => {
      await refusal('resume');
      await refusal('killNow');
      await refusal('pause', { why: 'x' });
      await refusal('extend', { kills: 0 });
      await refusal('extend', { kills: 1_438 });
      await refusal('skipNext', { reason: 7 });
    }),
  );
  expect(refused).toEqual([
    'it is not paused',
    'kill 1 is under way',
    'why: unknown field; known: reason, actor',
    'kills: must be a whole number, 1 or more',
    'a run holds at most 1440 kills',
    'reason: must be a string',
  ]);
  expect(result?.verdict).toBe('Pass');
  expect(seen.acts).toHaveLength(3);
});

test('the queries tell where the run stands', async () => {
  const answers: Record<string, unknown> = {};
  await story(
    whileProving(1, async () => {
      const run = await handle.promise;
      for (const name of ['status', 'timeline', 'evidence']) answers[name] = await run.query(name);
    }),
  );
  expect(answers.status).toMatchObject({
    step: 'kill',
    kills: { planned: 3, proven: 1, beingProven: 1 },
    next: { kill: 3 },
  });
  expect(answers.timeline).toContainEqual(expect.objectContaining({ text: 'a note' }));
  expect(answers.evidence).toMatchObject({ kills: [{ index: 0, status: 'proven' }, { index: 1 }] });
});

/** What the Web UI shows of the run now. */
async function currentDetails(): Promise<string> {
  const run = await handle.promise;
  return (await run.query<{ currentDetails: string }>('__temporal_workflow_metadata')).currentDetails;
}

test('the current details tell the stream’s rates and how near the limits are, once a kill is proven', async () => {
  const details: string[] = [];
  const stream = {
    at: '2026-01-01T10:20:30.000Z',
    acked: 4_012,
    ackRate: 100,
    receiveRate: 99,
    longestAckGapMs: 512,
    longestSilenceMs: 190_000,
  };
  const base = healthy(env, seen);
  const { result } = await story({
    prove: async () => ({ proven: true, evidence: [], timeToNewLeaderMs: 412, stream }),
    aim: async (request) => {
      details.push(await currentDetails());
      return await base.aim(request);
    },
  });
  expect(details[0]).toContain('| what | 3 times delete of the leader, one every 10 s |');
  expect(details[0]).toContain('| where | kafka/kafka-kafka (existing) |');
  expect(details[0]).not.toContain('acknowledged');
  expect(details[1]).toContain(
    '| records | 4012 acknowledged so far; 100 acknowledged and 99 received in a second at 10:20:30 |',
  );
  expect(details[1]).toContain('| longest producer outage | 0.51 s of 180 s |');
  expect(details[1]).toContain('| longest silence at the consumer | 190 s of 180 s, **exceeded** |');
  expect(details[1]).toContain('| longest time to a new leader | 0.41 s of 180 s |');
  expect(details[1]).not.toContain('full ISR |');
  // The glance is for those who watch: it is no evidence.
  expect(JSON.stringify(result)).not.toContain('receiveRate');
});

test('what a long step says stands in the current details while it is under way, and no longer', async () => {
  const details: string[] = [];
  const lines = ['deploy IN_PROGRESS', '  deploy-kafka `deploy`'];
  const look = async () => {
    details.push(await currentDetails());
  };
  const base = healthy(env, seen);
  await story({
    provision: async (resolved) => {
      await (await handle.promise).signal('progress', { step: 'provision', lines });
      await look();
      return await base.provision(resolved);
    },
    annotate: async (context) => {
      await look();
      return await base.annotate(context);
    },
  });
  expect(details[0]).toContain("```\ndeploy IN_PROGRESS\n  deploy-kafka 'deploy'\n```");
  expect(details[1]).not.toContain('deploy-kafka');
});
