import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseExperiment } from '../../src/experiment/parse.ts';
import { readExperimentText } from '../../src/experiment/read.ts';
import { problemOf } from './problem-of.ts';

const example = readFileSync(new URL('../../examples/kafka-chaos.yaml', import.meta.url), 'utf8');

interface Edits {
  /** Variables set, or taken away with undefined. */
  env?: Record<string, string | undefined>;
  spec?: Record<string, unknown>;
  appinfo?: Record<string, unknown>;
  engine?: Record<string, unknown>;
}

interface EngineObject {
  spec: {
    appinfo: Record<string, unknown>;
    experiments: { spec: { components: { env: { name: string; value?: unknown }[] } } }[];
  };
}

function engine({ env = {}, spec = {}, appinfo = {}, engine: top = {} }: Edits = {}): unknown {
  const object = readExperimentText(example) as EngineObject;
  const [experiment] = object.spec.experiments;
  if (!experiment) throw new Error('the example holds no experiment');
  const { components } = experiment.spec;
  components.env = components.env.filter(({ name }) => !(name in env));
  for (const [name, value] of Object.entries(env))
    if (value !== undefined) components.env.push({ name, value });
  Object.assign(object.spec.appinfo, appinfo);
  Object.assign(object.spec, spec);
  return Object.assign(object, top);
}

const parsed = (edits?: Edits) => parseExperiment(engine(edits));
const issues = (edits: Edits) => problemOf(() => parsed(edits)).evidence;

describe('the example ChaosEngine', () => {
  const { experiment, notes } = parsed();

  it('means here what it means in Litmus', () => {
    expect(experiment).toMatchObject({
      name: 'kafka-chaos',
      cluster: { namespace: 'kafka', label: 'app=kafka', service: 'kafka-svc', port: 9092 },
      provision: {
        mode: 'auto',
        kafka: { instance: 'kafka' },
        zookeeper: { instance: 'zookeeper-instance' },
      },
      annotationCheck: true,
      liveness: { replicationFactor: 3, consumerTimeoutMs: 40_000 },
      target: 'leader',
      fault: { kind: 'delete' },
      schedule: { durationSeconds: 60, intervalSeconds: 20 },
    });
  });

  it('is told which of its words steer nothing', () => {
    expect(notes.map((note) => note.split(' ')[0])).toEqual([
      'ZOOKEEPER_LABEL',
      'ZOOKEEPER_PORT',
      'chaosServiceAccount',
      'monitoring',
      'jobCleanUpPolicy',
    ]);
  });
});

describe('variables of a ChaosEngine', () => {
  it.each([
    ['CHAOS_INTERVALL', '20', 'env CHAOS_INTERVALL: unknown variable; nearest is "CHAOS_INTERVAL"'],
    ['TOTAL_CHAOS_DURATION', '0', 'env TOTAL_CHAOS_DURATION: "0" is not a whole number of at least 1'],
    ['TOTAL_CHAOS_DURATION', '1m', 'env TOTAL_CHAOS_DURATION: "1m" is not a whole number of at least 1'],
    ['CHAOS_INTERVAL', '61', 'env CHAOS_INTERVAL: 61 is longer than TOTAL_CHAOS_DURATION, 60'],
    ['KAFKA_PORT', '90920', 'env KAFKA_PORT: "90920" is more than 65535'],
    [
      'KAFKA_REPLICATION_FACTOR',
      '-1',
      'env KAFKA_REPLICATION_FACTOR: "-1" is not a whole number of at least 1',
    ],
    [
      'KAFKA_CONSUMER_TIMEOUT',
      '40',
      'env KAFKA_CONSUMER_TIMEOUT: "40" is not a whole number of at least 1000',
    ],
    ['KAFKA_NAMESPACE', 'other', 'env KAFKA_NAMESPACE: "other" differs from spec.appinfo.appns, "kafka"'],
    ['FORCE', 'yes', 'env FORCE: "yes" is neither true nor false'],
    ['KAFKA_KIND', 'deployment', 'env KAFKA_KIND: deployment; brokers are pods of a statefulset'],
    [
      'KAFKA_LIVENESS_STREAM',
      'disable',
      'env KAFKA_LIVENESS_STREAM: "disable"; a run without the stream could prove nothing',
    ],
    [
      'KAFKA_BROKER',
      'kafka-kafka-0,kafka-kafka-1',
      'env KAFKA_BROKER: "kafka-kafka-0,kafka-kafka-1" names several; one broker is killed at a time',
    ],
    ['KAFKA_BROKER', 'kafka_1', 'env KAFKA_BROKER: "kafka_1" is neither the name of a pod nor a broker id'],
  ])('refuse %s=%s', (name, value, issue) => {
    expect(issues({ env: { [name]: value } })).toEqual([issue]);
  });

  it('are all refused at once', () => {
    expect(issues({ env: { KAFKA_PORTT: '1', CHAOS_INTERVAL: 'x', FORCE: 'x' } })).toHaveLength(3);
  });

  it('count as missing where they are empty', () => {
    const { experiment } = parsed({ env: { KAFKA_CONSUMER_TIMEOUT: '' } });
    expect(experiment.liveness.consumerTimeoutMs).toBe(60_000);
  });

  it('mean what Litmus takes where FORCE and CHAOS_INTERVAL are missing, and say so', () => {
    const { experiment, notes } = parsed({ env: { FORCE: undefined, CHAOS_INTERVAL: undefined } });
    expect(experiment.fault.kind).toBe('force-delete');
    expect(experiment.schedule.intervalSeconds).toBe(10);
    expect(notes).toContain('FORCE is not given: true, as in Litmus');
    expect(notes).toContain('CHAOS_INTERVAL is not given: 10, as in Litmus');
  });

  it('may go to each limit', () => {
    const { experiment } = parsed({ env: { CHAOS_INTERVAL: '60', KAFKA_PORT: '65535' } });
    expect(experiment.schedule.intervalSeconds).toBe(60);
    expect(experiment.cluster.port).toBe(65_535);
  });

  it('leave label and namespace to appinfo', () => {
    const { experiment } = parsed({
      env: { KAFKA_LABEL: undefined, KAFKA_NAMESPACE: undefined },
      appinfo: { applabel: 'app=mine', appns: 'mine' },
    });
    expect(experiment.cluster).toMatchObject({ label: 'app=mine', namespace: 'mine' });
  });

  it('may write the kind as Kubernetes does', () => {
    const env = { KAFKA_KIND: 'StatefulSet' };
    expect(parsed({ env, appinfo: { appkind: 'StatefulSet' } }).experiment.cluster.namespace).toBe('kafka');
  });

  it('name a broker by its pod, as in Litmus', () => {
    expect(parsed({ env: { KAFKA_BROKER: 'kafka-kafka-1' } }).experiment.target).toEqual({
      pod: 'kafka-kafka-1',
    });
  });

  it('name a broker by its id', () => {
    expect(parsed({ env: { KAFKA_BROKER: '1001' } }).experiment.target).toEqual({ broker: 1001 });
  });

  it('may put ZooKeeper into a namespace that does not matter, and are told so', () => {
    const { notes } = parsed({ env: { ZOOKEEPER_NAMESPACE: 'zookeeper' } });
    expect(notes).toContainEqual(expect.stringMatching(/^ZOOKEEPER_NAMESPACE is not used/));
  });
});

describe('fields of a ChaosEngine', () => {
  it.each<[string, Edits, string]>([
    [
      'spec',
      { spec: { anotationCheck: 'true' } },
      'spec.anotationCheck: unknown field; nearest is "annotationCheck"',
    ],
    ['appinfo', { appinfo: { appKind: 'x' } }, 'spec.appinfo.appKind: unknown field; nearest is "appkind"'],
    ['the engine', { engine: { spce: {} } }, 'spce: unknown field; nearest is "spec"'],
  ])('unknown in %s are refused', (_where, edits, issue) => {
    expect(issues(edits)).toEqual([issue]);
  });

  it('are refused where a typing error would silently drop all variables', () => {
    const spec = { components: { envs: [] } };
    const experiments = [{ name: 'kafka-broker-pod-failure', spec }];
    expect(issues({ spec: { experiments } })).toEqual([
      'spec.experiments.0.spec.components.envs: unknown field; nearest is "env"',
    ]);
  });

  it('refuse other experiments, several experiments, stopped engines and other kinds', () => {
    const other = [{ name: 'pod-delete' }, { name: 'kafka-broker-pod-failure' }];
    expect(
      issues({ spec: { experiments: other, engineState: 'stop' }, appinfo: { appkind: 'deployment' } }),
    ).toEqual([
      'spec.experiments: one experiment a run; chain runs instead',
      'spec.experiments.0.name: pod-delete is not known; known is kafka-broker-pod-failure',
      'spec.engineState: stop; an engine that is not active is not run',
      'spec.appinfo.appkind: deployment; brokers are pods of a statefulset',
    ]);
  });

  it('as the cluster shows them, status and dotted names included, are taken', () => {
    const metadata = { name: 'kafka.chaos', uid: 'u', resourceVersion: '1' };
    const { experiment } = parsed({ engine: { metadata, status: { engineStatus: 'completed' } } });
    expect(experiment.name).toBe('kafka-chaos');
  });

  it('that steer nothing are said to', () => {
    const { notes } = parsed({ spec: { auxiliaryAppInfo: 'ns:app=x', components: { runner: {} } } });
    expect(notes).toContainEqual(expect.stringMatching(/^auxiliaryAppInfo is not used/));
    expect(notes).toContainEqual(expect.stringMatching(/^components.runner is not used/));
    const object = engine() as { spec: { experiments: { spec: object }[] } };
    Object.assign(object.spec.experiments[0]?.spec ?? {}, { probe: [{ name: 'http' }] });
    expect(parseExperiment(object).notes).toContainEqual(expect.stringMatching(/^probes are not run/));
  });

  it('place the liveness pod', () => {
    const object = engine() as EngineObject;
    Object.assign(object.spec.experiments[0]?.spec.components ?? {}, {
      nodeSelector: { pool: 'chaos' },
      tolerations: [{ key: 'chaos', operator: 'Exists' }],
    });
    expect(parseExperiment(object).experiment.liveness).toMatchObject({
      nodeSelector: { pool: 'chaos' },
      tolerations: [{ key: 'chaos', operator: 'Exists' }],
    });
  });
});
