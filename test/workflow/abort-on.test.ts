import { expect, test } from 'vitest';
import type { Activities } from '../../src/activities/contract.ts';
import type { BrokenSlo } from '../../src/experiment/abort-on.ts';
import type { AbortOnId } from '../../src/experiment/abort-on-ids.ts';
import { type Steering, untouched } from '../../src/experiment/steering.ts';
import type { Carried } from '../../src/workflows/continue-run.ts';
import { eachOnItsOwnServer, env, handle, seen } from './each-story.ts';
import { failing, healthy, runStory, untilCancelled } from './story-support.ts';

eachOnItsOwnServer();

const everyMinute = { durationSeconds: 180, intervalSeconds: 60 };
const broken: BrokenSlo = { id: 'producer-outage-max', value: 812, limit: 500, observedAt: 1_000 };

/** A run that stops on one line, whose stream ends with an outage of 812 ms where 500 ms are allowed. */
async function story(
  overrides: Partial<Activities>,
  abortOn: AbortOnId[] = ['producer-outage-max'],
  schedule = everyMinute,
) {
  const base = healthy(env, seen, {}, schedule);
  const steps: Partial<Activities> = {
    resolve: async (input) => {
      const resolved = await base.resolve(input);
      const slo = { ...resolved.experiment.slo, producerOutageMs: { max: 500 }, timeToNewLeaderMs: 500 };
      return { ...resolved, experiment: { ...resolved.experiment, slo, abortOn } };
    },
    closeStream: async (request) => {
      const { stream, ...closing } = await base.closeStream(request);
      if (!stream) throw new Error('the stub has a stream');
      return { ...closing, stream: { ...stream, producerOutage: { count: 1, maxMs: 812, totalMs: 812 } } };
    },
    ...overrides,
  };
  seen.calls.length = 0;
  return await runStory(env, healthy(env, seen, steps, schedule), async (run) => handle.resolve(run));
}

/** Something that happens in a story, and the watch that sees the line broken as soon as it has. */
function happening() {
  const { promise: happened, resolve } = Promise.withResolvers<void>();
  const sees = async () => {
    await Promise.race([happened, untilCancelled()]);
    return broken;
  };
  return { happened, happens: () => resolve(), sees };
}

const reason =
  'injecting was stopped: longest producer outage: 812 ms; at most 500 ms allowed (abortOn producer-outage-max)';

test('a broken limit ends the injecting at once: the run does not wait for its next kill, fails by that line and cleans up', async () => {
  const { happens, sees } = happening();
  const { result } = await story({
    prove: async () => {
      happens();
      return { proven: true, evidence: ['gone'] };
    },
    watchSlo: sees,
  });
  expect(seen.acts.map(({ index }) => index)).toEqual([0]);
  expect(result?.verdict).toBe('Fail');
  expect(result?.reasons).toEqual([
    'longest producer outage: 812 ms; at most 500 ms allowed',
    expect.stringMatching(/^at 812 ms it stopped the injecting \(abortOn\): no kill after 2/),
  ]);
  const skipped = result?.kills.slice(1).map((kill) => [kill.index, kill.status, kill.reason]);
  expect(skipped).toEqual([
    [1, 'skipped', reason],
    [2, 'skipped', reason],
  ]);
  expect(Date.parse(result?.endedAt ?? '')).toBeLessThan(Date.parse(result?.kills[1]?.deadline ?? ''));
  expect(result?.injectingStopped).toMatchObject({ broken, at: expect.any(Number) });
  expect(seen.calls.slice(-3)).toEqual(['closeStream', 'cleanUp', 'record']);
});

test('a kill that is being prepared is not made', async () => {
  const { happens, sees } = happening();
  const { result } = await story({
    aim: async () => {
      happens();
      return await untilCancelled();
    },
    watchSlo: sees,
  });
  expect(seen.acts).toEqual([]);
  expect(seen.calls).not.toContain('kill');
  expect(result?.kills.map(({ status }) => status)).toEqual(['skipped', 'skipped', 'skipped']);
  expect(result?.verdict).toBe('Fail');
});

test('a kill that looks for itself and sees it is not made, though nobody else has told yet', async () => {
  const { result } = await story(
    { kill: async () => ({ outcome: 'slo-broken', broken }) },
    ['producer-outage-max'],
    { durationSeconds: 4, intervalSeconds: 2 },
  );
  expect(result?.kills.map(({ status, reason: why }) => [status, why])).toEqual([
    ['skipped', reason],
    ['skipped', reason],
  ]);
  expect(result?.verdict).toBe('Fail');
});

test('a limit that an extension has raised meanwhile stops nothing: the stream is watched on by the new one', async () => {
  const watched: (number | undefined)[] = [];
  const { happened, happens } = happening();
  const total: BrokenSlo = { id: 'producer-outage-total', value: 1_100, limit: 1_000, observedAt: 1_000 };
  const { result } = await story(
    {
      prove: async ({ plan }) => {
        if (plan.index === 0) {
          await (await handle.promise).executeUpdate('extend', { args: [{ kills: 1 }] });
          happens();
        }
        return { proven: true, evidence: ['gone'] };
      },
      watchSlo: async ({ kills }) => {
        if (watched.push(kills) > 1) return await untilCancelled();
        await Promise.race([happened, untilCancelled()]);
        return total;
      },
      closeStream: async () => ({ livenessPod: { state: 'running' }, isrFullAtEnd: true, recoveries: [] }),
    },
    ['producer-outage-total'],
    { durationSeconds: 4, intervalSeconds: 2 },
  );
  expect(watched).toEqual([2, 3]);
  expect(seen.acts.map(({ index }) => index)).toEqual([0, 1, 2]);
  expect(result?.injectingStopped).toBeUndefined();
});

test('a paused run ends as well, and a request that comes then is told why it cannot be done', async () => {
  const { happens, sees } = happening();
  let answer: unknown;
  const ask = async (request: string) =>
    await (await handle.promise).executeUpdate<string, [object]>(request, { args: [{ actor: 'ann' }] });
  const { result } = await story({
    prove: async () => {
      await ask('pause');
      happens();
      return { proven: true, evidence: ['gone'] };
    },
    watchSlo: sees,
    closeStream: async () => {
      answer = await ask('extend').catch((error: { cause?: unknown }) => error.cause);
      return { livenessPod: { state: 'running' }, isrFullAtEnd: true, recoveries: [] };
    },
  });
  expect(seen.acts.map(({ index }) => index)).toEqual([0]);
  expect(String(answer)).toContain('no further kill is made: longest producer outage');
  // The stream was not seen to its end: what was seen while it ran is no verdict.
  expect(result?.verdict).toBe('Inconclusive');
  expect(result?.reasons).toContain(`kill 2 skipped: ${reason}`);
});

test('what a kill’s own proof shows counts before the next one, and needs no watch', async () => {
  const { result } = await story(
    { prove: async () => ({ proven: true, evidence: ['gone'], newLeader: 1, timeToNewLeaderMs: 900 }) },
    ['time-to-new-leader'],
  );
  expect(seen.calls).not.toContain('watchSlo');
  expect(seen.acts.map(({ index }) => index)).toEqual([0]);
  expect(result?.kills[1]?.reason).toContain('longest time to a new leader: 900 ms; at most 500 ms allowed');
  expect(result?.verdict).toBe('Fail');
});

test('a run without abortOn is not watched', async () => {
  const { result } = await story({}, []);
  expect(seen.calls).not.toContain('watchSlo');
  expect(seen.acts).toHaveLength(3);
  expect(result).not.toHaveProperty('injectingStopped');
});

test('a watch that cannot be had ends the injecting, too: nobody would hear of a broken limit', async () => {
  const { happened, happens } = happening();
  const { result } = await story({
    prove: async () => {
      happens();
      return { proven: true, evidence: ['gone'] };
    },
    watchSlo: async () => {
      await Promise.race([happened, untilCancelled()]);
      return await failing('INTERNAL', 'kill')();
    },
  });
  expect(seen.acts.map(({ index }) => index)).toEqual([0]);
  expect(result?.kills[1]?.reason).toContain('the stream could not be watched any more: kill went wrong');
});

/** A run whose first kill was made in an earlier history, and whose second is due soon: while a watch lasts, the clock does not jump. */
async function carriedOn(steering: Partial<Steering>): Promise<Carried> {
  const base = healthy(env, { calls: [], acts: [] }, {}, everyMinute);
  const resolved = await base.resolve({});
  const kafka = await base.provision(resolved);
  const liveness = await base.startLiveness({ resolved, kafka });
  const { experiment } = resolved;
  const slo = { ...experiment.slo, producerOutageMs: { max: 500 } };
  return {
    resolved: { ...resolved, experiment: { ...experiment, slo, abortOn: ['producer-outage-max'] } },
    kafka,
    liveness: { ...liveness, steadyAt: (await env.currentTimeMs()) - 58_000 },
    startedAt: new Date(0).toISOString(),
    steering: { ...untouched(), next: 1, ...steering },
    timeline: [],
    earlier: { notable: [], elsewhere: { proven: 1, unproven: 0, skipped: 0 }, spans: '' },
  };
}

test('a run that goes on in a new history is watched anew there', async () => {
  const { happens, sees } = happening();
  const steps: Partial<Activities> = {
    prove: async () => {
      happens();
      return { proven: true, evidence: ['gone'] };
    },
    watchSlo: sees,
  };
  const activities = healthy(env, seen, steps, everyMinute);
  const { result } = await runStory(env, activities, undefined, { carried: await carriedOn({}) });
  expect(seen.acts.map(({ index }) => index)).toEqual([1]);
  expect(result?.kills.map(({ index, status }) => [index, status])).toEqual([
    [1, 'proven'],
    [2, 'skipped'],
  ]);
});

test('and one that had stopped injecting before makes no kill there', async () => {
  const injectingStopped = { at: 1_000, reason: 'broken before', broken };
  const activities = healthy(env, seen, {}, everyMinute);
  const { result } = await runStory(env, activities, undefined, {
    carried: await carriedOn({ injectingStopped }),
  });
  expect(seen.calls).toEqual(['closeStream', 'cleanUp', 'record']);
  expect(result?.kills.map(({ reason: why }) => why)).toEqual(
    [1, 2].map(() => 'injecting was stopped: broken before'),
  );
});
