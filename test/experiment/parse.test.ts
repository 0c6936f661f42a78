import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseExperiment } from '../../src/experiment/parse.ts';
import { readExperimentText } from '../../src/experiment/read.ts';
import { killDeadline, lateAfter, latenessMs, plannedKills } from '../../src/experiment/schedule.ts';
import { problemOf } from './problem-of.ts';

const issues = (input: unknown) => problemOf(() => parseExperiment(input)).evidence;

describe('an experiment', () => {
  it('may say nothing at all', () => {
    const { experiment, notes } = parseExperiment({});
    expect(parseExperiment(undefined).experiment).toEqual(experiment);
    expect(notes).toEqual([]);
    expect(experiment.cluster.namespace).toBeUndefined();
    expect(experiment.schedule).toMatchObject({ durationSeconds: 60, intervalSeconds: 20 });
  });

  it('may name a package and leave all else about it to the defaults', () => {
    const { provision } = parseExperiment({ provision: { kafka: { package: './kafka' } } }).experiment;
    expect(provision.kafka).toEqual({ package: './kafka', instance: 'kafka', parameters: {} });
    expect(provision.zookeeper).toEqual({ instance: 'zookeeper-instance', parameters: {} });
  });

  it('may carry a header', () => {
    const header = { apiVersion: 'leaderfall.io/v1', kind: 'KafkaBrokerFailure' };
    expect(parseExperiment({ ...header, name: 'mine' }).experiment.name).toBe('mine');
    expect(issues({ apiVersion: 'v1', kind: 'List' })).toHaveLength(2);
  });

  it('may stop on lines that are known while it runs, and is told the nearest one', () => {
    expect(parseExperiment({}).experiment.abortOn).toEqual([]);
    const abortOn = ['producer-outage-max', 'duplicates'];
    expect(parseExperiment({ abortOn }).experiment.abortOn).toEqual(abortOn);
    expect(issues({ abortOn: ['consumer-silense', 'lost', 7] })).toEqual([
      expect.stringMatching(/^abortOn\.0: must be one of .*; nearest is "consumer-silence"$/),
      expect.stringMatching(/^abortOn\.1: "lost" is known only when the run is over/),
      expect.stringMatching(/^abortOn\.2: must be one of [^"]*$/),
    ]);
  });

  it('is refused with a password in an address, which is not repeated', () => {
    const address = 'https://user:canary@packages.example.com/kafka.tgz';
    const input = { provision: { repository: address, kafka: { instance: 'kafka', package: address } } };
    expect(issues(input)).toEqual([
      expect.stringMatching(/^provision\.repository: holds a user or a password/),
      expect.stringMatching(/^provision\.kafka\.package: holds a user or a password/),
    ]);
    expect(JSON.stringify(issues(input))).not.toContain('canary');
    expect(() => parseExperiment({ provision: { repository: 'https://example.com/a@b/' } })).not.toThrow();
  });

  it('is refused with every mistake at once, each with its field', () => {
    const input = {
      cluster: { namspace: 'kafka' },
      liveness: { replicationFactor: 'three', tolerations: [{ keey: 'a' }] },
      target: 'lead',
      schedul: {},
    };
    expect(issues(input)).toEqual([
      'cluster.namspace: unknown field; nearest is "namespace"',
      'liveness.replicationFactor: Invalid input: expected number, received string',
      'liveness.tolerations.0.keey: unknown field; nearest is "key"',
      'target: must be leader, controller, follower, random, { broker: <id> } or { pod: <name> }',
      'schedul: unknown field; nearest is "schedule"',
    ]);
  });

  it('is told where a field belongs that is known in another place', () => {
    expect(issues({ cluster: { reach: 'direct' }, ratePerSecond: 5, zzz: 1 })).toEqual([
      'cluster.reach: unknown field; nearest is "reach"',
      'ratePerSecond: unknown field; nearest is "liveness.ratePerSecond"',
      'zzz: unknown field',
    ]);
  });

  it.each([
    [
      { schedule: { intervalSeconds: 61 } },
      'schedule.intervalSeconds: 61 is longer than schedule.durationSeconds, 60',
    ],
    [
      { schedule: { late: { runIfWithinSeconds: 11 } } },
      'schedule.late.runIfWithinSeconds: 11 is more than half of schedule.intervalSeconds, 20: kills would be bunched',
    ],
    [{ schedule: { minKills: 4 } }, 'schedule.minKills: 4 is more than the 3 planned kills'],
    [
      { liveness: { replicationFactor: 2, minInsyncReplicas: 3 } },
      'liveness.minInsyncReplicas: 3 is more than liveness.replicationFactor, 2',
    ],
    [
      { schedule: { durationSeconds: 28_820, intervalSeconds: 20 } },
      'schedule.durationSeconds: 1441 kills are planned, at most 1440 fit one run',
    ],
    [
      { target: 'follower', liveness: { replicationFactor: 1 }, guard: { allow: ['single-replica'] } },
      'target: follower, which there is none of with liveness.replicationFactor: 1',
    ],
    [{ schedule: { durationSeconds: 0 } }, 'schedule.durationSeconds: Too small: expected number to be >0'],
  ])('is refused for what its fields mean together: %j', (input, issue) => {
    expect(issues(input)).toContain(issue);
  });

  it('may go to each limit', () => {
    const limits = { durationSeconds: 60, intervalSeconds: 1, minKills: 60 };
    expect(parseExperiment({ schedule: limits }).experiment.schedule).toMatchObject(limits);
    expect(parseExperiment({ schedule: { intervalSeconds: 60 } }).experiment.schedule.durationSeconds).toBe(
      60,
    );
    const liveness = { replicationFactor: 2, minInsyncReplicas: 2 };
    expect(parseExperiment({ liveness }).experiment.liveness).toMatchObject(liveness);
  });

  it('is refused with one sentence that says how many more mistakes there are', () => {
    expect(problemOf(() => parseExperiment({ a1: 1 })).message).toBe('a1: unknown field');
    expect(problemOf(() => parseExperiment({ a1: 1, b1: 1 })).message).toBe('a1: unknown field (and 1 more)');
  });

  it('is told the nearest field: one that goes on, one with a typing error, none where nothing is near', () => {
    expect(issues({ liveness: { consumer: 1, redySeconds: 1, somethingElse: 1 } })).toEqual([
      'liveness.consumer: unknown field; nearest is "consumerTimeoutMs"',
      'liveness.redySeconds: unknown field; nearest is "readySeconds"',
      'liveness.somethingElse: unknown field',
    ]);
    expect(issues({ target: { broker: 1, x: 2 } })).toHaveLength(1);
    expect(issues({ target: { broker: 1, pod: 'kafka-1' } })).toHaveLength(1);
    expect(issues({ target: { pod: 'Kafka_1' } })).toHaveLength(1);
  });

  it.each([[[]], ['text'], [7], [null]])('that is %j is a default one or a clear error', (input) => {
    if (input === null) expect(parseExperiment(input).experiment.target).toBe('leader');
    else expect(issues(input)?.[0]).toMatch(/^input: /);
  });

  it('is the same when parsed again', () => {
    const { experiment } = parseExperiment({ cluster: { namespace: 'kafka' }, target: { broker: 3 } });
    expect(parseExperiment(experiment).experiment).toEqual(experiment);
  });
});

describe('the text of an experiment', () => {
  it('may be YAML, JSON or empty', () => {
    expect(readExperimentText('name: a # why\n')).toEqual({ name: 'a' });
    expect(readExperimentText('{"name": "a"}')).toEqual({ name: 'a' });
    expect(readExperimentText('')).toEqual({});
    expect(readExperimentText('---\nname: a\n---\n')).toEqual({ name: 'a' });
  });

  it.each([
    ['name: a\n---\nname: b\n', /holds 2 documents/],
    ['name: a\nname: b\n', /unique at line 2/],
    ['name: [', /^file: .*line 1/],
    ['name: *gone\n', /^file: .*gone/],
    ['name: !!js/function "x"\n', /Unresolved tag/],
  ])('%j is refused', (text, issue) => {
    expect(problemOf(() => readExperimentText(text)).evidence?.[0]).toMatch(issue);
  });
});

describe('the schedule', () => {
  it('of 60 s and 20 s is three kills, at 0, 20 and 40 s', () => {
    const schedule = { durationSeconds: 60, intervalSeconds: 20 };
    expect(plannedKills(schedule)).toBe(3);
    expect([0, 1, 2].map((index) => killDeadline(schedule, 1_000, index))).toEqual([1_000, 21_000, 41_000]);
  });

  it('plans exactly the kills whose deadline is before the end, none of which a late one can meet', () => {
    const numbers = fc.record({
      durationSeconds: fc.integer({ min: 1, max: 3_600 }),
      intervalSeconds: fc.integer({ min: 1, max: 3_600 }),
    });
    fc.assert(
      fc.property(numbers, (schedule) => {
        const planned = plannedKills(schedule);
        const last = killDeadline(schedule, 0, planned - 1);
        expect(last).toBeLessThan(schedule.durationSeconds * 1_000);
        expect(killDeadline(schedule, 0, planned)).toBeGreaterThanOrEqual(schedule.durationSeconds * 1_000);
        expect(lateAfter(schedule, last)).toBeLessThan(killDeadline(schedule, 0, planned));
      }),
    );
  });

  it.each([
    ['half an interval', {}, 10_000],
    ['at most 30 s', { intervalSeconds: 600 }, 30_000],
    ['what the experiment says', { late: { runIfWithinSeconds: 4 } }, 4_000],
    ['hardly at all', { late: 'skip' }, 1_000],
  ] as const)('may be late by %s', (_, schedule, ms) => {
    expect(latenessMs({ durationSeconds: 600, intervalSeconds: 20, ...schedule })).toBe(ms);
  });
});
