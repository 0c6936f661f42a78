import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { afterEach, beforeEach, vi } from 'vitest';
import { makeAim } from '../../src/activities/aim.ts';
import type { Aim } from '../../src/activities/contract.ts';
import type { ExperimentInput } from '../../src/experiment/spec.ts';
import { attempt, fakeKafka, type Look, run, type Scene, scene } from './step-support.ts';

/** When all of it happens. */
export const start = Date.parse('2026-01-01T00:00:00Z');

/** What a look at the stream's partition takes. */
export const lookMs = 1_000;

/** For each test of a file the clock stands still but for the looks, each of which takes a second. */
export function holdClock(): void {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'], now: start });
  });

  afterEach(() => {
    vi.useRealTimers();
  });
}

/** A scene whose looks at Kafka follow one another. */
export async function aimed(looks: (Look | 'silent')[], input: ExperimentInput = {}): Promise<Scene> {
  const at = await scene(fakeKafka(...looks), input);
  const { metadata } = at.kafka;
  at.kafka.metadata = (options) => {
    if (options?.topics !== 'all') vi.setSystemTime(Date.now() + lookMs);
    return metadata(options);
  };
  return at;
}

type Round = {
  deadline?: number;
  until?: number;
  index?: number;
  runId?: string;
  waited?: Waited;
  notBefore?: number;
};
type Waited = { guardWaitMs: number; guardReasons: string[] };

/** Aims at the first of the kills, unless the round is another one. */
export function aim(at: Scene, round: Round = {}) {
  return attempt(makeAim(at.deps), requestOf(at, round));
}

function requestOf(at: Scene, round: Round): Parameters<ReturnType<typeof makeAim>>[0] {
  const { index = 0, deadline = start + lookMs, until = start + 60_000, runId, ...rest } = round;
  const { resolved } = at.context;
  const run = { ...resolved.run, ...(runId ? { runId } : {}) };
  const context = { ...at.context, resolved: { ...resolved, run } };
  return { ...context, liveness: at.liveness, index, deadline, until, ...rest };
}

/** An attempt at an aim: what it gives, what its beats have told so far, and how its worker is lost. */
export interface AimAttempt {
  aim: Promise<Aim>;
  beats: unknown[];
  lose(): void;
}

/** An attempt that begins with what the last beat of the one before has told, and beats each 100 ms. */
export function aimAttempt(at: Scene, round: Round = {}, heartbeatDetails?: unknown): AimAttempt {
  const environment = new MockActivityEnvironment(
    {
      attempt: heartbeatDetails === undefined ? 1 : 2,
      heartbeatTimeoutMs: 250,
      heartbeatDetails,
      workflowExecution: run,
      namespace: run.temporalNamespace,
    },
    { logger: new DefaultLogger('ERROR') },
  );
  const beats: unknown[] = [];
  environment.on('heartbeat', (details: unknown) => beats.push(details));
  const aim: Promise<Aim> = environment.run(makeAim(at.deps), requestOf(at, round));
  return { aim, beats, lose: () => environment.cancel() };
}

/** A look at a partition whose replica on broker 1001 is away. */
export const shrunk: Look = { isr: [1002, 1000] };

/** What the guard says of that. */
export const waits = 'not in sync: broker 1001';
