import { type Engine, engineSchema } from './chaos-engine-schema.ts';
import { type InputIssue, inputInvalid, issuesOf, nearest } from './issues.ts';
import { dnsLabel, type ExperimentInput } from './spec.ts';

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

/** What Litmus takes where a variable is missing or empty, where that differs from our own default. */
const litmusDefaults = { FORCE: true, CHAOS_INTERVAL: 10 };

/** Whether an input is meant to be a ChaosEngine. */
export function isChaosEngine(input: unknown): boolean {
  return (input as { kind?: unknown } | null | undefined)?.kind === 'ChaosEngine';
}

/** A Litmus ChaosEngine for kafka-broker-pod-failure as our own input. Every variable means what it means there. */
export function translateChaosEngine(input: unknown): { value: ExperimentInput; notes: string[] } {
  const parsed = engineSchema.safeParse(input);
  if (!parsed.success) throw inputInvalid(issuesOf(parsed.error, engineSchema));
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
  const env = new Map(experiment?.spec.components.env.map(({ name, value }) => [name, value]));
  const kinds = {
    'spec.appinfo.appkind': engine.spec.appinfo.appkind,
    'env KAFKA_KIND': env.get('KAFKA_KIND'),
  };
  for (const [name, kind] of Object.entries(kinds)) {
    if (kind && kind.toLowerCase() !== 'statefulset')
      issues.push(`${name}: ${kind}; brokers are pods of a statefulset`);
  }
  issues.push(...unknownVariables(env));
  const value = translated(engine, env, issues);
  if (issues.length > 0) throw inputInvalid(issues);
  return { value, notes: notesOf(engine, env) };
}

function translated(engine: Engine, env: Map<string, string>, issues: InputIssue[]): ExperimentInput {
  const at = (name: string) => `env ${name}`;
  const string = (name: string) => env.get(name) || undefined;
  const whole = (name: string, least: number, most = 2 ** 31): number | undefined => {
    const given = string(name);
    if (given === undefined) return undefined;
    const number = /^\d+$/.test(given) ? Number(given) : Number.NaN;
    if (number >= least && number <= most) return number;
    const range = number > most ? `more than ${most}` : `not a whole number of at least ${least}`;
    issues.push(`${at(name)}: "${given}" is ${range}`);
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
  const stream = string('KAFKA_LIVENESS_STREAM')?.toLowerCase();
  if (stream && !['enable', 'enabled', 'true'].includes(stream)) {
    issues.push(`${at('KAFKA_LIVENESS_STREAM')}: "${stream}"; a run without the stream could prove nothing`);
  }
  const components = engine.spec.experiments[0]?.spec.components;
  const target = brokerTarget(string('KAFKA_BROKER'));
  if (typeof target === 'string') issues.push(`${at('KAFKA_BROKER')}: ${target}`);
  const zookeeperInstance = string('ZOOKEEPER_SERVICE')
    ?.split('.')[0]
    ?.replace(/-(hs|cs)$/, '');
  const force = flag(at('FORCE'), string('FORCE')) ?? litmusDefaults.FORCE;
  const annotationCheck = flag('spec.annotationCheck', engine.spec.annotationCheck);
  const replicationFactor = whole('KAFKA_REPLICATION_FACTOR', 1);
  const consumerTimeoutMs = whole('KAFKA_CONSUMER_TIMEOUT', 1_000);
  const durationSeconds = whole('TOTAL_CHAOS_DURATION', 1);
  const intervalSeconds =
    whole('CHAOS_INTERVAL', 1) ?? Math.min(litmusDefaults.CHAOS_INTERVAL, durationSeconds ?? Infinity);
  if (durationSeconds !== undefined && intervalSeconds > durationSeconds) {
    issues.push(
      `${at('CHAOS_INTERVAL')}: ${intervalSeconds} is longer than TOTAL_CHAOS_DURATION, ${durationSeconds}`,
    );
  }
  const port = whole('KAFKA_PORT', 1, 65_535);
  const label = string('KAFKA_LABEL') ?? applabel;
  const service = string('KAFKA_SERVICE');
  const instance = string('KAFKA_INSTANCE_NAME');
  return {
    name: labelOf(engine.metadata.name),
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
    ...(typeof target === 'object' ? { target } : {}),
    fault: { kind: force ? 'force-delete' : 'delete' },
    schedule: defined({ durationSeconds, intervalSeconds }),
  };
}

/** Whom KAFKA_BROKER names: a pod, as in Litmus, or a broker by its id; a text says what is wrong with it. */
function brokerTarget(given: string | undefined): { broker: number } | { pod: string } | string | undefined {
  if (given === undefined) return undefined;
  if (/^\d+$/.test(given)) return { broker: Number(given) };
  if (given.includes(',')) return `"${given}" names several; one broker is killed at a time`;
  if (dnsLabel.safeParse(given).success) return { pod: given };
  return `"${given}" is neither the name of a pod nor a broker id`;
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
  for (const [name, value] of Object.entries(litmusDefaults)) {
    if (!env.get(name)) notes.push(`${name} is not given: ${value}, as in Litmus`);
  }
  const zookeeper = env.get('ZOOKEEPER_NAMESPACE');
  const kafka = env.get('KAFKA_NAMESPACE') || engine.spec.appinfo.appns;
  if (zookeeper && zookeeper !== kafka) {
    notes.push('ZOOKEEPER_NAMESPACE is not used: a ZooKeeper that a run installs comes beside its Kafka');
  }
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

/** Names of Kubernetes objects may hold dots and be long; ours is a label. */
function labelOf(name: string): string {
  return name.replaceAll('.', '-').slice(0, 63).replace(/-+$/, '');
}

function defined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
