import { ApplicationFailure, CancelledFailure, Context } from '@temporalio/activity';
import type { WorkflowHandle } from '@temporalio/client';
import fc from 'fast-check';
import type { Activities } from '../../src/activities/contract.ts';
import type { KillPlan } from '../../src/experiment/kill-record.ts';
import type { ChaosResult } from '../../src/experiment/result.ts';
import { failing, healthy, planOf } from '../workflow/story-support.ts';
import { realClock } from './story-worker.ts';

/**
 * What one attempt of a step does. `hang`: neither answers nor beats, until its time is over. `lost`, `lost-hang`: it has done its
 * work, and nobody hears of it; `unheard`: nor of any further attempt of this kill.
 */
type Behaviour = 'ok' | 'slow' | 'retry' | 'fatal' | 'hang' | 'lost' | 'lost-hang' | 'unheard' | 'otherwise';

const stepNames = [
  ...(['resolve', 'provision', 'annotate', 'startLiveness', 'aim', 'kill', 'prove', 'watchSlo'] as const),
  ...(['closeStream', 'cleanUp', 'releaseClaim', 'record'] as const),
];
type StepName = (typeof stepNames)[number];

/** What somebody asks of the run, `afterMs` after attempt `nth` of a step began. */
interface Ask {
  during: StepName;
  nth: number;
  afterMs: number;
  what: 'abort' | 'abort-signal' | 'cancel' | 'pause' | 'skipNext' | 'killNow' | 'extend';
}

/** One story: what each attempt of each step does, and what people ask meanwhile. */
export interface Interleaving {
  kills: number;
  /** Each task of the workflow meets a worker that knows nothing of the run. */
  forgetful: boolean;
  steps: Partial<Record<StepName, Behaviour[]>>;
  asks: Ask[];
  /** When the stream breaks a line of `abortOn`; a run without it is not watched. */
  brokenAfterMs?: number | undefined;
}

const rarely = (behaviours: Behaviour[]) =>
  fc.array(
    fc.oneof(
      { weight: 8, arbitrary: fc.constant<Behaviour>('ok') },
      { weight: 3, arbitrary: fc.constantFrom(...behaviours) },
    ),
    { maxLength: 5 },
  );

/** Most steps succeed, or no story would come to its kills. */
export const interleavings: fc.Arbitrary<Interleaving> = fc.record({
  kills: fc.integer({ min: 1, max: 4 }),
  forgetful: fc.boolean(),
  steps: fc.record(
    {
      resolve: rarely(['slow', 'slow', 'retry', 'retry', 'fatal']),
      provision: rarely(['slow', 'slow', 'retry', 'retry', 'fatal']),
      annotate: rarely(['slow', 'retry']),
      startLiveness: rarely(['slow', 'slow', 'retry', 'retry', 'fatal']),
      aim: rarely(['slow', 'slow', 'retry', 'retry', 'hang', 'otherwise', 'fatal']),
      kill: rarely([
        'slow',
        'retry',
        'hang',
        'lost',
        'lost',
        'lost-hang',
        'unheard',
        'unheard',
        'otherwise',
        'fatal',
      ]),
      prove: rarely(['slow', 'slow', 'retry', 'retry', 'hang', 'otherwise', 'fatal']),
      closeStream: rarely(['slow', 'slow', 'retry', 'hang', 'otherwise', 'fatal']),
      cleanUp: rarely(['slow', 'retry', 'retry', 'hang', 'fatal']),
      record: rarely(['slow', 'retry']),
    },
    { requiredKeys: [] },
  ),
  asks: fc.array(
    fc.record({
      during: fc.constantFrom<StepName>(...stepNames, 'aim', 'kill', 'prove', 'aim', 'kill', 'prove'),
      nth: fc.integer({ min: 0, max: 2 }),
      afterMs: fc.integer({ min: 0, max: 1_500 }),
      what: fc.constantFrom<Ask['what']>(
        ...(['abort', 'abort-signal', 'cancel', 'pause', 'pause'] as const),
        ...(['skipNext', 'killNow', 'killNow', 'extend', 'extend'] as const),
      ),
    }),
    { maxLength: 3 },
  ),
  brokenAfterMs: fc.option(fc.integer({ min: 0, max: 8_000 }), { nil: undefined, freq: 2 }),
});

/** A broker that died, by the stub's own count. */
export interface Act {
  index: number;
  at: number;
  notAfter: number;
  activityId: string;
}

/** What came of a story, seen from outside the workflow. */
export interface Seen {
  acts: Act[];
  /** Kills by which somebody was told that the run was extended. */
  extended: number;
  /** When clean-up began, epoch ms. */
  cleanedAt?: number;
  recorded?: ChaosResult;
}

/** Between kills: short, for the clock is a real one. */
const schedule = { intervalSeconds: 1, late: { runIfWithinSeconds: 5 } };

/** The steps of one story. What they do to its brokers is kept as a cluster would: a pod dies once, and each has its own UID. */
export function stepsOf(
  story: Interleaving,
  handle: Promise<WorkflowHandle>,
): { activities: Activities; seen: Seen } {
  const seen: Seen = { acts: [], extended: 0 };
  const hit = new Set<string>();
  const unheard = new Set<string>();
  const attempts = new Map<StepName, number>();
  const base = healthy(
    realClock,
    { calls: [], acts: [] },
    {},
    { ...schedule, durationSeconds: story.kills * schedule.intervalSeconds },
  );
  let aims = 0;

  const own: Partial<Activities> = {
    resolve: async (input) => {
      const resolved = await base.resolve(input);
      if (story.brokenAfterMs === undefined) return resolved;
      return { ...resolved, experiment: { ...resolved.experiment, abortOn: ['producer-outage-max'] } };
    },
    watchSlo: async () => {
      await passed(story.brokenAfterMs ?? 0);
      return { id: 'producer-outage-max', value: 2, limit: 1, observedAt: Date.now() };
    },
    aim: async ({ index, deadline }) => {
      const plan = planOf(index, deadline);
      return {
        outcome: 'aimed',
        plan: { ...plan, notAfter: deadline + 3_000, podUid: `uid-${index}-${aims++}` },
      };
    },
    kill: async ({ plan, answerLost }) => {
      const { index, deadline, notAfter, podUid } = plan;
      if (unheard.has(podUid) && !answerLost) throw new Error('the answer was lost again');
      const done = (repeated: boolean) =>
        ({
          outcome: 'deleted',
          requestedAt: deadline,
          answeredAt: deadline,
          gracePeriodSeconds: 30,
          repeated,
        }) as const;
      if (hit.has(podUid)) return done(true);
      await passed(deadline - Date.now());
      const at = Date.now();
      if (at > notAfter) return { outcome: 'skipped', reason: 'late, after notAfter', at };
      hit.add(podUid);
      seen.acts.push({ index, at, notAfter, activityId: Context.current().info.activityId });
      return done(false);
    },
    record: async ({ result, cancelRun }) => {
      seen.recorded = result;
      if (cancelRun) await (await handle).cancel();
      return result;
    },
  };
  const otherwise: Partial<Record<StepName, (call: number) => unknown>> = {
    aim: (call) =>
      call % 2
        ? { outcome: 'skipped', reason: 'not in sync' }
        : { outcome: 'stream-ended', reason: 'it ended' },
    kill: (call) =>
      call % 2
        ? { outcome: 'moved', reason: 'leadership moved', at: 0 }
        : { outcome: 'locked', by: { actor: 'ann', reason: 'a release' } },
    prove: () => ({ proven: false, evidence: ['nothing was seen'] }),
    closeStream: () => ({ livenessPod: { state: 'gone' }, recoveries: [] }),
  };

  async function step(name: StepName, argument: unknown): Promise<unknown> {
    const call = attempts.get(name) ?? 0;
    attempts.set(name, call + 1);
    if (name === 'cleanUp') seen.cleanedAt ??= Date.now();
    for (const ask of story.asks) if (ask.during === name && ask.nth === call) void asked(ask, handle, seen);
    const work = async () =>
      await ({ ...base, ...own }[name] as (argument: unknown) => Promise<unknown>)(argument);
    switch (story.steps[name]?.[call] ?? 'ok') {
      case 'ok':
        return await work();
      case 'slow':
        await passed(900);
        return await work();
      case 'retry':
        throw new Error(`${name}: no answer`);
      case 'fatal':
        return await failing('INTERNAL', name)();
      case 'hang':
        return await hung();
      case 'lost':
        await work();
        throw new Error(`${name}: the answer was lost`);
      case 'lost-hang':
        await work();
        return await hung();
      case 'unheard':
        await work();
        if (name === 'kill') unheard.add((argument as { plan: KillPlan }).plan.podUid);
        throw new Error(`${name}: the answer was lost`);
      case 'otherwise':
        return otherwise[name]?.(call);
    }
  }
  const activities = Object.fromEntries(
    stepNames.map((name) => [name, (argument: unknown) => step(name, argument)]),
  ) as unknown as Activities;
  return { activities, seen };
}

/** Sends a request once; that it cannot be done, or comes too late, is an answer too. A pause is ended, or nobody would. */
async function asked({ what, afterMs }: Ask, handle: Promise<WorkflowHandle>, seen: Seen): Promise<void> {
  const run = await handle;
  const update = (name: string, input: object = { actor: 'ann', reason: 'a release' }) =>
    run.executeUpdate<string, [object]>(name, { args: [input] }).then(
      () => true,
      () => false,
    );
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  if (what === 'cancel') await run.cancel().catch(() => {});
  else if (what === 'abort-signal') await run.signal('abort', { actor: 'bob' }).catch(() => {});
  else if (what === 'extend') {
    if (await update('extend', { kills: 1 })) seen.extended++;
  } else if ((await update(what)) && what === 'pause') {
    await new Promise((resolve) => setTimeout(resolve, 700));
    await update('resume');
  }
}

/** Lasts that long, beating, as a step that waits does. */
async function passed(ms: number): Promise<void> {
  const context = Context.current();
  const beat = setInterval(() => context.heartbeat(), 100);
  try {
    await Promise.race([context.cancelled, new Promise((resolve) => setTimeout(resolve, Math.max(ms, 0)))]);
  } finally {
    clearInterval(beat);
  }
}

/** Neither answers nor beats; over when its worker is. */
async function hung(): Promise<never> {
  await Context.current().cancelled.catch(() => {});
  throw new CancelledFailure('the worker has gone');
}

/** Activities of all stories on one worker: each finds its own by its workflow. */
export function dispatched(stories: Map<string, Activities>): Activities {
  return Object.fromEntries(
    stepNames.map((name) => [
      name,
      async (argument: unknown) => {
        const id = Context.current().info.workflowExecution?.workflowId ?? '';
        const steps = stories.get(id);
        if (!steps) throw ApplicationFailure.nonRetryable(`no story ${id}`);
        return await (steps[name] as (argument: unknown) => Promise<unknown>)(argument);
      },
    ]),
  ) as unknown as Activities;
}
