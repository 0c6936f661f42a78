import { describe, expect, it } from 'vitest';
import { LeaderfallError, type Problem } from '../../src/experiment/errors.ts';
import { resolveExperiment } from '../../src/experiment/resolve.ts';
import { experimentSchema } from '../../src/experiment/spec.ts';
import { readConfig } from '../../src/worker/config.ts';

function problemOf(env: Record<string, string>): Problem {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof LeaderfallError) return error.problem;
    throw error;
  }
  throw new Error('the settings were taken');
}

describe('settings of a worker', () => {
  it('are complete without any variable, and name no target', () => {
    const { taskQueue, defaults, log, health, metricsAddress } = readConfig({}, false);
    expect(taskQueue).toBe('leaderfall');
    expect(defaults.image).toMatch(/leaderfall:\d/);
    expect(defaults).not.toHaveProperty('target');
    expect(log).toEqual({ level: 'info', format: 'json' });
    expect([health, metricsAddress]).toEqual([undefined, undefined]);
  });

  it('hold no password in an address, which every run would keep', () => {
    const address = 'https://user:canary@packages.example.com/';
    const { code, evidence } = problemOf({
      LEADERFALL_KUDO_KAFKA_PACKAGE: address,
      LEADERFALL_KUDO_REPOSITORY: address,
    });
    expect(code).toBe('CONFIGURATION_INVALID');
    expect(evidence).toHaveLength(2);
    expect(JSON.stringify(evidence)).not.toContain('canary');
  });

  it('are all reported at once when they are wrong', () => {
    const { code, evidence } = problemOf({
      LEADERFALL_LOG_LEVEL: 'loud',
      LEADERFALL_HEALTH_ADDRESS: '8080',
      LEADERFALL_TARGET_NAMESPACE: 'Not A Label',
      LEADERFALL_TARGET_PORT: 'kafka',
      LEADERFALL_KUDO_KAFKA_PARAMETERS: '{"MEM": 2}',
      LEADERFALL_KUDO_ZOOKEEPER_PARAMETERS: 'MEM=2',
    });
    expect(code).toBe('CONFIGURATION_INVALID');
    const names = evidence?.map((fact) => fact.split(/[:.]/)[0]).sort();
    expect(names).toEqual([
      'LEADERFALL_HEALTH_ADDRESS',
      'LEADERFALL_KUDO_KAFKA_PARAMETERS',
      'LEADERFALL_KUDO_ZOOKEEPER_PARAMETERS',
      'LEADERFALL_LOG_LEVEL',
      'LEADERFALL_TARGET_NAMESPACE',
      'LEADERFALL_TARGET_PORT',
    ]);
  });

  it('that are unknown are refused with the nearest known one', () => {
    const { evidence } = problemOf({ LEADERFALL_TASKQUEUE: 'x', LEADERFALL_QWERTZUIOP: 'y' });
    expect(evidence).toEqual([
      'LEADERFALL_TASKQUEUE: no such setting; did you mean LEADERFALL_TASK_QUEUE?',
      'LEADERFALL_QWERTZUIOP: no such setting',
    ]);
  });

  it('allow no privileged fault unless they name it, and none that there is not', () => {
    expect(readConfig({}, false).defaults).not.toHaveProperty('allowedFaults');
    const { defaults } = readConfig({ LEADERFALL_ALLOW_FAULTS: 'crash' }, false);
    expect(defaults.allowedFaults).toEqual(['crash']);
    const { evidence } = problemOf({ LEADERFALL_ALLOW_FAULTS: 'crash, delete' });
    expect(evidence?.[0]).toMatch(/^LEADERFALL_ALLOW_FAULTS.*must be a list of: crash/);
  });

  it('of a target need its namespace', () => {
    expect(problemOf({ LEADERFALL_TARGET_LABEL: 'app=kafka' }).evidence?.[0]).toContain(
      'LEADERFALL_TARGET_NAMESPACE',
    );
  });

  it('that are not set leave the defaults of the experiment alone', () => {
    const { defaults } = readConfig({ LEADERFALL_TARGET_NAMESPACE: 'kafka' });
    const { cluster } = resolveExperiment(experimentSchema.parse({}), defaults);
    expect(cluster).toMatchObject({
      namespace: 'kafka',
      label: 'app=kafka',
      // The StatefulSet's own, whichever that is.
      service: undefined,
      port: 9092,
    });
  });

  it('give KUDO packages and parameters to the experiment', () => {
    const { defaults } = readConfig({
      LEADERFALL_TARGET_NAMESPACE: 'kafka',
      LEADERFALL_KUDO_KAFKA_PACKAGE: '/packages/kafka',
      LEADERFALL_KUDO_KAFKA_PARAMETERS: '{"BROKER_MEM": "512Mi"}',
    });
    const { provision } = resolveExperiment(experimentSchema.parse({}), defaults);
    expect(provision.kafka).toMatchObject({
      package: '/packages/kafka',
      parameters: { BROKER_MEM: '512Mi' },
    });
  });

  it('take an empty variable as not set', () => {
    expect(readConfig({ LEADERFALL_TASK_QUEUE: '' }).taskQueue).toBe('leaderfall');
  });
});

describe('what a worker lets no experiment do', () => {
  it('is read from its settings', () => {
    const { policy } = readConfig({
      LEADERFALL_PROTECTED: 'prod-*, shop/kafka-kafka',
      LEADERFALL_KILL_TIMES: '{"timeZone":"Europe/Berlin","open":[{"from":"09:00","to":"17:00"}]}',
      LEADERFALL_MAX_KILLS_PER_HOUR: '6',
    });
    expect(policy).toMatchObject({
      protectedTargets: ['prod-*', 'shop/kafka-kafka'],
      killTimes: { timeZone: 'Europe/Berlin', open: [{ from: '09:00', to: '17:00' }], freeze: [] },
      maxKillsPerHour: 6,
    });
    expect(readConfig({}).policy).toEqual({});
  });

  it.each([
    ['LEADERFALL_PROTECTED', 'Shop'],
    ['LEADERFALL_PROTECTED', 'a/b/c'],
    ['LEADERFALL_PROTECTED', ','],
    ['LEADERFALL_KILL_TIMES', 'weekdays'],
    ['LEADERFALL_KILL_TIMES', '{"timeZone":"Europe/Berlim"}'],
    ['LEADERFALL_KILL_TIMES', '{"open":[{"from":"17:00","to":"09:00"}]}'],
    ['LEADERFALL_KILL_TIMES', '{"opne":[]}'],
    ['LEADERFALL_MAX_KILLS_PER_HOUR', '0'],
    ['LEADERFALL_MAX_KILLS_PER_HOUR', 'few'],
  ])('is refused, never taken for nothing, where it cannot be read: %s=%s', (name, value) => {
    const { code, evidence } = problemOf({ [name]: value });
    expect(code).toBe('CONFIGURATION_INVALID');
    expect(evidence?.join()).toContain(name);
  });
});
