import { z } from 'zod';
import { type InputIssue, inputInvalid, issuesOf, nearest } from './issues.ts';
import type { ExperimentInput } from './spec.ts';

const text = z.union([z.string(), z.number(), z.boolean()]).transform(String);

const variableSchema = z.strictObject({ name: z.string(), value: text.default('') });

const engineSchema = z.object({
  apiVersion: z.literal('litmuschaos.io/v1alpha1'),
  kind: z.literal('ChaosEngine'),
  metadata: z.looseObject({ name: z.string().default('kafka-chaos') }).prefault({}),
  spec: z.strictObject({
    annotationCheck: text.optional(),
    engineState: z.enum(['active', 'stop', '']).optional(),
    appinfo: z
      .strictObject({
        appns: z.string().optional(),
        applabel: z.string().optional(),
        appkind: z.string().optional(),
      })
      .prefault({}),
    auxiliaryAppInfo: z.string().optional(),
    chaosServiceAccount: z.string().optional(),
    components: z.looseObject({}).optional(),
    defaultHealthCheck: text.optional(),
    monitoring: text.optional(),
    jobCleanUpPolicy: z.enum(['delete', 'retain', '']).optional(),
    terminationGracePeriodSeconds: z.number().optional(),
    experiments: z
      .array(
        z.strictObject({
          name: z.string(),
          spec: z
            .strictObject({
              components: z
                .looseObject({
                  env: z.array(variableSchema).default([]),
                  tolerations: z.array(z.looseObject({})).optional(),
                  nodeSelector: z.record(z.string(), z.string()).optional(),
                })
                .prefault({}),
              probe: z.array(z.looseObject({})).optional(),
              rank: z.number().optional(),
            })
            .prefault({}),
        }),
      )
      .min(1),
  }),
});

type Engine = z.output<typeof engineSchema>;

/** Variables of kafka-broker-pod-failure that have a meaning here. */
const used = [
  'KAFKA_REPLICATION_FACTOR',
  'KAFKA_LABEL',
  'KAFKA_NAMESPACE',
  'KAFKA_SERVICE',
  'KAFKA_PORT',
  'KAFKA_CONSUMER_TIMEOUT',
  'KAFKA_INSTANCE_NAME',
  'ZOOKEEPER_SERVICE',
  'ZOOKEEPER_NAMESPACE',
  'TOTAL_CHAOS_DURATION',
  'CHAOS_INTERVAL',
  'FORCE',
  'KAFKA_BROKER',
  'KAFKA_KIND',
  'KAFKA_LIVENESS_STREAM',
] as const;

/** Variables that are understood and have nothing left to steer, with the reason. */
const unused: Record<string, string> = {
  ZOOKEEPER_LABEL: 'the guard asks Kafka itself',
  ZOOKEEPER_PORT: 'leaders are asked of Kafka, not of ZooKeeper',
  KAFKA_LIVENESS_IMAGE: 'the stream runs from Leaderfall’s own image',
  LIB: 'there is one implementation',
  SEQUENCE: 'one broker is killed at a time',
  PODS_AFFECTED_PERC: 'one broker is killed at a time',
  RAMP_TIME: 'chaos starts when the stream is steady',
  TARGET_CONTAINER: 'the broker’s pod is killed whole',
  STATUS_CHECK_DELAY: 'nothing sleeps between checks',
  STATUS_CHECK_TIMEOUT: 'use schedule.recoveryTimeoutSeconds',
  DEFAULT_HEALTH_CHECK: 'the guard is always on',
  INSTANCE_ID: 'runs are told apart by their Temporal ids',
};

/** Whether an input is meant to be a ChaosEngine. */
export function isChaosEngine(input: unknown): boolean {
  return (input as { kind?: unknown } | null | undefined)?.kind === 'ChaosEngine';
}

/** A Litmus ChaosEngine for kafka-broker-pod-failure as our own input. Every variable means what it means there. */
export function translateChaosEngine(input: unknown): { value: ExperimentInput; notes: string[] } {
  const parsed = engineSchema.safeParse(input);
  if (!parsed.success) throw inputInvalid(issuesOf(parsed.error, knownEngineFields));
  const engine = parsed.data;
  const [experiment, ...others] = engine.spec.experiments;
  const issues: InputIssue[] = [];
  if (others.length > 0) issues.push('spec.experiments: one experiment a run; chain runs instead');
  if (experiment?.name !== 'kafka-broker-pod-failure') {
    issues.push(
      `spec.experiments.0.name: ${experiment?.name} is not known; known is kafka-broker-pod-failure`,
    );
  }
  if (engine.spec.engineState === 'stop')
    issues.push('spec.engineState: stop; an engine that is not active is not run');
  const { kind } = { kind: engine.spec.appinfo.appkind };
  if (kind && kind !== 'statefulset')
    issues.push(`spec.appinfo.appkind: ${kind}; brokers are pods of a statefulset`);
  const components = experiment?.spec.components;
  const env = new Map(components?.env.map(({ name, value }) => [name, value]));
  issues.push(...unknownVariables(env));
  const value = translated(engine, env, issues);
  if (issues.length > 0) throw inputInvalid(issues);
  return { value, notes: notesOf(engine, env) };
}

function translated(engine: Engine, env: Map<string, string>, issues: InputIssue[]): ExperimentInput {
  const at = (name: string) => `env ${name}`;
  const string = (name: string) => env.get(name) || undefined;
  const whole = (name: string, least: number): number | undefined => {
    const given = string(name);
    if (given === undefined) return undefined;
    if (/^\d+$/.test(given) && Number(given) >= least) return Number(given);
    issues.push(`${at(name)}: "${given}" is not a whole number of at least ${least}`);
    return undefined;
  };
  const flag = (name: string, given: string | undefined): boolean | undefined => {
    if (given === undefined || given === '') return undefined;
    if (given === 'true' || given === 'false') return given === 'true';
    issues.push(`${name}: "${given}" is neither true nor false`);
    return undefined;
  };
  const { appns, applabel } = engine.spec.appinfo;
  const namespace = string('KAFKA_NAMESPACE') ?? appns;
  if (appns && namespace !== appns) {
    issues.push(`${at('KAFKA_NAMESPACE')}: "${namespace}" differs from spec.appinfo.appns, "${appns}"`);
  }
  const zookeeperNamespace = string('ZOOKEEPER_NAMESPACE');
  if (zookeeperNamespace && zookeeperNamespace !== namespace) {
    issues.push(
      `${at('ZOOKEEPER_NAMESPACE')}: "${zookeeperNamespace}" differs from KAFKA_NAMESPACE, "${namespace}"`,
    );
  }
  const stream = string('KAFKA_LIVENESS_STREAM')?.toLowerCase();
  if (stream && !['enable', 'enabled', 'true'].includes(stream)) {
    issues.push(`${at('KAFKA_LIVENESS_STREAM')}: "${stream}"; a run without the stream could prove nothing`);
  }
  const components = engine.spec.experiments[0]?.spec.components;
  const broker = string('KAFKA_BROKER');
  if (broker !== undefined && !/^\d+$/.test(broker)) {
    issues.push(`${at('KAFKA_BROKER')}: "${broker}" is a pod name; give the broker id that Kafka knows`);
  }
  const zookeeperInstance = string('ZOOKEEPER_SERVICE')?.replace(/-(hs|cs)$/, '');
  const force = flag(at('FORCE'), string('FORCE'));
  const annotationCheck = flag('spec.annotationCheck', engine.spec.annotationCheck);
  const replicationFactor = whole('KAFKA_REPLICATION_FACTOR', 1);
  const consumerTimeoutMs = whole('KAFKA_CONSUMER_TIMEOUT', 1_000);
  const durationSeconds = whole('TOTAL_CHAOS_DURATION', 1);
  const intervalSeconds = whole('CHAOS_INTERVAL', 1);
  const port = whole('KAFKA_PORT', 1);
  const label = string('KAFKA_LABEL') ?? applabel;
  const service = string('KAFKA_SERVICE');
  const instance = string('KAFKA_INSTANCE_NAME');
  return {
    name: engine.metadata.name,
    cluster: defined({ namespace, label, service, port }),
    provision: defined({
      kafka: instance ? { instance } : undefined,
      zookeeper: zookeeperInstance ? { instance: zookeeperInstance } : undefined,
    }),
    ...defined({ annotationCheck }),
    liveness: defined({
      replicationFactor,
      consumerTimeoutMs,
      nodeSelector: components?.nodeSelector,
      tolerations: components?.tolerations as NonNullable<ExperimentInput['liveness']>['tolerations'],
    }),
    ...(broker && /^\d+$/.test(broker) ? { target: { broker: Number(broker) } } : {}),
    fault: defined({ force }),
    schedule: defined({ durationSeconds, intervalSeconds }),
  };
}

function unknownVariables(env: Map<string, string>): InputIssue[] {
  const known = [...used, ...Object.keys(unused)];
  return [...env.keys()]
    .filter((name) => !known.includes(name))
    .map((name) => `env ${name}: unknown variable${nearest(name, known)}`);
}

function notesOf(engine: Engine, env: Map<string, string>): string[] {
  const notes = Object.entries(unused)
    .filter(([name]) => env.has(name))
    .map(([name, why]) => `${name} is not used: ${why}`);
  const { chaosServiceAccount, monitoring, jobCleanUpPolicy, auxiliaryAppInfo, components } = engine.spec;
  if (chaosServiceAccount) notes.push('chaosServiceAccount is not used: the worker acts with its own rights');
  if (monitoring !== undefined) notes.push('monitoring is not used: the worker always serves metrics');
  if (jobCleanUpPolicy) notes.push('jobCleanUpPolicy is not used: there are no Jobs');
  if (auxiliaryAppInfo) notes.push('auxiliaryAppInfo is not used');
  if (components) notes.push('components.runner is not used: there is no runner pod');
  if (engine.spec.experiments[0]?.spec.probe?.length)
    notes.push('probes are not run: the stream is the probe');
  return notes;
}

function knownEngineFields(path: PropertyKey[]): string[] {
  if (path[0] !== 'spec') return [];
  if (path.length === 1) return Object.keys(engineSchema.shape.spec.shape);
  if (path[1] === 'appinfo') return ['appns', 'applabel', 'appkind'];
  return ['name', 'spec', 'components', 'env', 'value', 'probe'];
}

function defined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
