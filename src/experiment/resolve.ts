import { inputInvalid } from './issues.ts';
import { plannedKills } from './schedule.ts';
import { type Experiment, experimentSchema, type ResolvedExperiment } from './spec.ts';

/** What a worker fills into an experiment. */
export interface WorkerDefaults {
  /** Image of the kafka-liveness pod. */
  image: string;
  /** What the worker's environment is called, e.g. staging. */
  environment?: string;
  /** Privileged faults that this worker may carry out, where experiments allow them too. */
  allowedFaults?: string[];
  /** The victim of an experiment that names none; without it such an experiment is refused. */
  target?: { namespace: string; label?: string; statefulSet?: string; service?: string; port?: number };
  kudo?: {
    zookeeperPackage?: string;
    kafkaPackage?: string;
    repository?: string;
    managerImage?: string;
    zookeeperParameters?: Record<string, string>;
    kafkaParameters?: Record<string, string>;
  };
}

const schemaDefaults = experimentSchema.parse({});

/** Fills what only the worker or other fields know. What the experiment says always wins. */
export function resolveExperiment(experiment: Experiment, defaults: WorkerDefaults): ResolvedExperiment {
  const { cluster, liveness, provision, schedule } = experiment;
  const target = cluster.namespace === undefined ? defaults.target : undefined;
  const namespace = cluster.namespace ?? target?.namespace;
  if (!namespace) {
    throw inputInvalid(
      ['cluster.namespace: not given, and the worker has no default target'],
      'Name the namespace of the Kafka, or set LEADERFALL_TARGET_NAMESPACE on the worker.',
    );
  }
  const { kudo } = defaults;
  return {
    ...experiment,
    environment: experiment.environment ?? defaults.environment,
    cluster: {
      ...cluster,
      namespace,
      statefulSet: cluster.statefulSet ?? target?.statefulSet,
      label: chosen(cluster.label, target?.label, schemaDefaults.cluster.label),
      service: cluster.service ?? target?.service,
      port: chosen(cluster.port, target?.port, schemaDefaults.cluster.port),
    },
    annotationCheck: experiment.annotationCheck ?? true,
    provision: {
      ...provision,
      repository: provision.repository ?? kudo?.repository,
      managerImage: chosen(provision.managerImage, kudo?.managerImage, schemaDefaults.provision.managerImage),
      zookeeper: {
        ...provision.zookeeper,
        package: provision.zookeeper.package ?? kudo?.zookeeperPackage,
        parameters: { ...kudo?.zookeeperParameters, ...provision.zookeeper.parameters },
      },
      kafka: {
        ...provision.kafka,
        package: provision.kafka.package ?? kudo?.kafkaPackage,
        parameters: { ...kudo?.kafkaParameters, ...provision.kafka.parameters },
      },
    },
    liveness: {
      ...liveness,
      image: liveness.image ?? defaults.image,
      minInsyncReplicas: liveness.minInsyncReplicas ?? Math.max(1, liveness.replicationFactor - 1),
    },
    schedule: { ...schedule, minKills: schedule.minKills ?? plannedKills(schedule) },
  };
}

/** A filled default cannot be told from a written value that equals it; the worker's own default then counts. */
function chosen<T>(given: T, workers: T | undefined, schemas: T): T {
  return given === schemas ? (workers ?? given) : given;
}
