import { z } from 'zod';
import { abortOnIds } from './abort-on-ids.ts';
import { holdsNoLogin, loginRefused, saslSchema, tlsSchema } from './connection-security.ts';
import { nearest } from './issues.ts';
import { sloIds } from './slo.ts';
import { sloSchema } from './slo-schema.ts';
import { streamOptions } from './stream-options.ts';

/** Kubernetes DNS-1123 label, the shape of namespaces and of most names. */
export const dnsLabel = z
  .string()
  .regex(
    /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/,
    'must be a DNS-1123 label (lower case letters, digits, "-")',
  );

/** A positive whole number of seconds. */
const seconds = z.int().positive();

const port = z.int().min(1).max(65_535);

const stringMap = z.record(z.string(), z.string());

/** Where a KUDO operator package comes from, and what its Instance is called. */
const kudoInstance = (instance: string) =>
  z
    .strictObject({
      package: z
        .string()
        .min(1)
        .refine(holdsNoLogin, loginRefused)
        .optional()
        .describe('Directory, .tgz, http(s) URL or name in a KUDO repository; read by the worker.'),
      instance: dnsLabel.default(instance).describe('Name of the KUDO Instance.'),
      parameters: stringMap
        .default({})
        .describe('KUDO parameters; a name the package does not declare is refused.'),
    })
    .prefault({});

const toleration = z.strictObject({
  key: z.string().optional(),
  operator: z.enum(['Exists', 'Equal']).optional(),
  value: z.string().optional(),
  effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']).optional(),
  tolerationSeconds: z.int().optional(),
});

/** Which Kafka is attacked and how it is addressed. */
const clusterSchema = z.strictObject({
  namespace: dnsLabel
    .optional()
    .describe("The Kafka's namespace. No default: a run never guesses its victim."),
  label: z
    .string()
    .min(1)
    .default('app=kafka')
    .describe('Label selector of the StatefulSet and of its broker pods.'),
  statefulSet: dnsLabel.optional().describe('Name of the StatefulSet, where the label alone is not unique.'),
  service: dnsLabel
    .optional()
    .describe('Headless service of the brokers. Default: the `serviceName` of the StatefulSet.'),
  port: port.default(9092).describe('Client port of the brokers.'),
  tls: tlsSchema.optional(),
  sasl: saslSchema.optional(),
  clusterDomain: z.string().default('cluster.local').describe('DNS domain of the Kubernetes cluster.'),
  brokerPod: z
    .string()
    .optional()
    .describe(
      'Rule broker id to pod, where the advertised host is neither pod FQDN nor pod IP, e.g. "kafka-kafka-{id}" or "kafka-{id-1000}".',
    ),
  brokerContainer: dnsLabel
    .optional()
    .describe('Container of the broker in its pod, where it does not declare the client port.'),
});

const provisionSchema = z.strictObject({
  mode: z
    .enum(['auto', 'existing', 'kudo'])
    .default('auto')
    .describe(
      'auto: one matching StatefulSet is used, several are an error, none means KUDO where packages are configured.',
    ),
  keep: z.boolean().default(false).describe('Leave what the run installed.'),
  timeoutSeconds: seconds.default(900).describe('Bound on the whole provisioning.'),
  podWaitSeconds: seconds
    .default(180)
    .describe(
      'How long a pod of a plan may wait (image pull, unschedulable, unbound volume) before the run fails with that reason.',
    ),
  repository: z
    .url()
    .refine(holdsNoLogin, loginRefused)
    .optional()
    .describe('KUDO repository that holds index.yaml, for packages given by name.'),
  managerImage: z.string().default('kudobuilder/controller:v0.19.0').describe('Image of the KUDO manager.'),
  zookeeper: kudoInstance('zookeeper-instance'),
  kafka: kudoInstance('kafka'),
});

const livenessSchema = z.strictObject({
  enabled: z.literal(true).default(true),
  image: z.string().min(1).optional().describe("Image of the kafka-liveness pod; default: the worker's own."),
  imagePullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']).default('IfNotPresent'),
  imagePullSecrets: z.array(z.string()).default([]),
  ...streamOptions,
  replicationFactor: z.int().min(1).default(3),
  minInsyncReplicas: z.int().min(1).optional().describe('Default max(1, replicationFactor - 1).'),
  consumerTimeoutMs: z
    .int()
    .min(1_000)
    .default(60_000)
    .describe('Silence after which the consumer gives up; the Litmus rule for a broken stream.'),
  probeStepMs: z
    .int()
    .min(1)
    .max(100)
    .default(3)
    .describe(
      'Time from one of the observer’s probes of the leader to the next; bounds how exact an outage is.',
    ),
  readySeconds: seconds.default(120).describe('Bound on pod start and steady stream.'),
  nodeSelector: stringMap.default({}),
  tolerations: z.array(toleration).default([]),
});

const targetSchema = z
  .union(
    [
      z.enum(['leader', 'controller', 'follower', 'random']),
      z.strictObject({ broker: z.int().min(0) }),
      z.strictObject({ pod: dnsLabel }),
    ],
    {
      error: 'must be leader, controller, follower, random, { broker: <id> } or { pod: <name> }',
    },
  )
  .default('leader')
  .describe('Which broker is killed, asked of Kafka before each kill.');

const faultSchema = z.strictObject({
  kind: z.string().min(1).default('delete').describe('What is done to the broker.'),
  graceSeconds: seconds
    .optional()
    .describe("delete: time from SIGTERM to SIGKILL; default: the pod's own grace period."),
  privileged: z
    .boolean()
    .default(false)
    .describe('Allows a privileged pod on the broker’s node, where the worker’s settings allow it too.'),
});

const scheduleSchema = z.strictObject({
  durationSeconds: seconds.default(60).describe('TOTAL_CHAOS_DURATION.'),
  intervalSeconds: seconds.default(20).describe('CHAOS_INTERVAL.'),
  late: z
    .union([z.literal('skip'), z.strictObject({ runIfWithinSeconds: seconds })])
    .optional()
    .describe(
      'A kill whose deadline passed while nobody could act is skipped, or made if it is not later than that; default half an interval, at most 30 s.',
    ),
  minKills: z
    .int()
    .min(1)
    .optional()
    .describe(
      'Fewer proven kills than this are Inconclusive; default all, those too by which a run is extended.',
    ),
  recoveryTimeoutSeconds: seconds
    .default(180)
    .describe('Bound on the ISR being full again after the last kill.'),
});

const guardSchema = z.strictObject({
  allow: z
    .array(
      z.enum([
        ...(['under-replicated', 'broker-down', 'single-replica', 'min-isr-equals-rf'] as const),
        ...(['rollout', 'disruption-budget', 'cordoned-node', 'unready-broker'] as const),
        'partial-view',
      ]),
    )
    .default([])
    .describe('Conditions under which a kill goes ahead all the same.'),
});

const abortOnSchema = z
  .array(z.enum(abortOnIds, { error: ({ input }) => notLive(input) }))
  .default([])
  .describe(
    'Lines of the SLO that stop the injecting as soon as they are broken; the run then judges as ever.',
  );

function notLive(input: unknown): string {
  if (sloIds.some((id) => id === input))
    return `"${input}" is known only when the run is over; during a run: ${abortOnIds.join(', ')}`;
  const near = typeof input === 'string' ? nearest(input, [...abortOnIds]) : '';
  return `must be one of ${abortOnIds.join(', ')}${near}`;
}

/**
 * One experiment as a person writes it: every field but `cluster.namespace` has a default.
 * Strict: an unknown field is an error that names the nearest known one.
 */
export const experimentSchema = z
  .strictObject({
    name: dnsLabel.default('kafka-broker-failure').describe('A word for people; run ids make names unique.'),
    environment: dnsLabel
      .optional()
      .describe('Where this Kafka belongs, e.g. staging; default the worker’s LEADERFALL_ENVIRONMENT.'),
    cluster: clusterSchema.prefault({}),
    provision: provisionSchema.prefault({}),
    annotationCheck: z
      .boolean()
      .optional()
      .describe(
        'true: an existing StatefulSet without litmuschaos.io/chaos="true" is refused (default for existing); false: the run annotates it.',
      ),
    liveness: livenessSchema.prefault({}),
    target: targetSchema,
    fault: faultSchema.prefault({}),
    schedule: scheduleSchema.prefault({}),
    guard: guardSchema.prefault({}),
    slo: sloSchema.prefault({}),
    abortOn: abortOnSchema,
    reach: z
      .enum(['auto', 'direct', 'port-forward'])
      .default('auto')
      .describe('How the worker reaches the brokers: their own addresses, or through the Kubernetes API.'),
  })
  .describe('Leaderfall experiment kafkaBrokerFailure');

/** A whole experiment: all defaults filled. */
export type Experiment = z.output<typeof experimentSchema>;

/** What a person may leave out is optional. This is the one argument of the workflow. */
export type ExperimentInput = z.input<typeof experimentSchema>;

/** An experiment whose victim is known; what every step after `resolve` works on. */
export type ResolvedExperiment = Experiment & {
  cluster: Experiment['cluster'] & { namespace: string };
  liveness: Experiment['liveness'] & { image: string; minInsyncReplicas: number };
  schedule: Experiment['schedule'] & { minKills: number };
  annotationCheck: boolean;
};
