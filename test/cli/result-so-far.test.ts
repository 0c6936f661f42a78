import { describe, expect, it } from 'vitest';
import { resultFromHistory } from '../../src/cli/history/result-from-history.ts';
import { resultSoFar } from '../../src/cli/history/result-so-far.ts';
import type { ActivityName, RunEvent } from '../../src/cli/history/run-event.ts';
import { resultSchema } from '../../src/experiment/result-schema.ts';
import { textReport } from '../../src/report/text.ts';
import { passedResult, steadyAt } from '../report/example-result.ts';

const passed = passedResult();
const [first, second, third] = passed.kills;
const began = Date.parse(passed.startedAt);

/** A step that was begun and, where it gave something, ended. */
function step(activity: ActivityName, input: unknown, result?: unknown): RunEvent[] {
  const begun: RunEvent = { kind: 'scheduled', at: steadyAt, activity, input };
  return result === undefined ? [begun] : [begun, { kind: 'completed', at: steadyAt, activity, result }];
}

const started: RunEvent = { kind: 'started', at: began, input: {}, taskQueue: 'leaderfall' };
const terminated: RunEvent = {
  kind: 'closed',
  at: steadyAt + 30_000,
  status: 'terminated',
  reason: 'by hand',
};
const resolve = step(
  'resolve',
  {},
  {
    run: passed.run,
    experiment: passed.experiment,
    provisioner: 'kudo',
    statefulSetName: 'kafka-kafka',
    expires: Date.parse('2026-03-02T12:00:00Z'),
    notes: [],
    versions: passed.versions,
    searchAttributes: [],
  },
);
const made = { apiVersion: 'v1', kind: 'Instance', name: 'kafka', namespace: 'kafka' };
const provision = step('provision', {}, { ...passed.kafka, made: [made] });
const liveness = step(
  'startLiveness',
  {},
  {
    namespace: 'kafka',
    pod: 'liveness-1',
    podUid: 'u',
    node: 'n',
    topic: 'leaderfall-1',
    replicationFactor: 3,
    minInsyncReplicas: 2,
    steadyAt,
  },
);
const aim = (plan = first?.plan) =>
  step('aim', { index: plan?.index, deadline: plan?.deadline }, { outcome: 'aimed', plan });

/** What a run that was terminated after these steps had come to. */
function soFar(...steps: RunEvent[][]) {
  const events = [started, ...steps.flat(), terminated];
  const end = resultFromHistory(events);
  return end && resultSoFar(events, end);
}

describe('the result of a run that was terminated', () => {
  it('holds what its steps gave: the kills that were proven and the one that was under way', () => {
    const result = soFar(
      resolve,
      provision,
      liveness,
      aim(),
      step('kill', { plan: first?.plan }, first?.act),
      step('prove', { plan: first?.plan, act: first?.act }, first?.proof),
      aim(second?.plan),
      step('kill', { plan: second?.plan }, second?.act),
      step('prove', { plan: second?.plan, act: second?.act }),
    );
    expect(resultSchema.parse(result)).toEqual(result);
    expect(result?.verdict).toBe('Error');
    expect(result?.reasons).toEqual(['the run was terminated (by hand) from outside: no clean-up ran']);
    expect(result?.kills[0]).toEqual(first);
    expect(result?.kills[1]).toMatchObject({ status: 'unproven', act: second?.act, latenessMs: 6 });
    expect(result?.kills[1]?.reason).toBe('the run was ended before the kill was over');
    expect(result?.startedAt).toBe(passed.startedAt);
    expect(result?.timeline.map(({ text }) => text)).toContainEqual(
      expect.stringMatching(/^kill 1 proven: exit code 143/),
    );
    expect(textReport(result ?? passed)).toContain('Kills: 1 of 3 proven');
  });

  it('names all that it made, for no clean-up ran', () => {
    const left = soFar(resolve, provision, liveness)?.leftovers;
    expect(left?.map(({ kind, name }) => `${kind}/${name}`)).toEqual([
      'Pod/liveness-1',
      'Topic/leaderfall-1',
      'Instance/kafka',
      'Lease/leaderfall-kafka-kafka',
    ]);
    expect(left?.[0]?.reason).toContain('expires 2026-03-02T12:00:00.000Z');
  });

  it('leaves to clean-up, where it ran, to say what is left', () => {
    const cleanUp = step('cleanUp', {}, { leftovers: [], done: [] });
    expect(soFar(resolve, provision, liveness, cleanUp)?.leftovers).toEqual([]);
  });

  it('knows kills that were moved, skipped by the guard or skipped at the deadline', () => {
    const moved = step('kill', { plan: first?.plan }, { outcome: 'moved', reason: 'broker 2 leads', at: 0 });
    const late = step('kill', { plan: second?.plan }, { outcome: 'skipped', reason: 'too late', at: 0 });
    const guarded = step(
      'aim',
      { index: 2, deadline: third?.plan?.deadline },
      { outcome: 'skipped', reason: 'a broker is down' },
    );
    const result = soFar(
      resolve,
      aim(),
      moved,
      aim(),
      step('kill', { plan: first?.plan }, first?.act),
      aim(second?.plan),
      late,
      guarded,
    );
    expect(result?.kills.map(({ status, reason, retargets }) => [status, reason, retargets])).toEqual([
      ['unproven', 'the run was ended before the kill was over', 1],
      ['skipped', 'too late', 0],
      ['skipped', 'a broker is down', 0],
    ]);
  });

  it('is none where nothing had been resolved', () => {
    expect(soFar()).toBeUndefined();
  });
});
