import { afterEach, beforeEach, vi } from 'vitest';
import { makeAim } from '../../src/activities/aim.ts';
import type { ExperimentInput } from '../../src/experiment/spec.ts';
import { attempt, fakeKafka, type Look, type Scene, scene } from './step-support.ts';

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
  const { index = 0, deadline = start + lookMs, until = start + 60_000, runId, ...rest } = round;
  const { resolved } = at.context;
  const run = { ...resolved.run, ...(runId ? { runId } : {}) };
  const context = { ...at.context, resolved: { ...resolved, run } };
  return attempt(makeAim(at.deps), { ...context, liveness: at.liveness, index, deadline, until, ...rest });
}

/** A look at a partition whose replica on broker 1001 is away. */
export const shrunk: Look = { isr: [1002, 1000] };

/** What the guard says of that. */
export const waits = 'not in sync: broker 1001';
