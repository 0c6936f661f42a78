import {
  type RunIdentity,
  runAnnotations,
  runLabels,
  shortRunId,
  topicName,
} from '../experiment/identity.ts';
import type { ResolvedExperiment } from '../experiment/spec.ts';
import type { KubernetesObject, OwnerReference } from '../kubernetes/port.ts';
import { credentialsFolder, credentialsVolume } from './credentials.ts';
import { bootstrapVariable, securityVariable, streamVariable } from './environment.ts';
import type { LivenessEnvironment } from './protocol.ts';

/** The one name, so that a person finds it; a label tells whose it is. */
export const livenessPodName = 'kafka-liveness';

const resources = {
  requests: { cpu: '50m', memory: '96Mi' },
  limits: { cpu: '1', memory: '256Mi' },
};

/**
 * Node's memory within that limit. A batch of 929 records makes tens of MB of garbage in kafkajs: with the young generation that
 * Node takes by itself beside so small an old one, a third of the producer's processor time went into its collection.
 */
const nodeOptions = ['--max-old-space-size=128', '--max-semi-space-size=32'];

/**
 * For those that the stream goes through. kafkajs makes some megabytes of buffers for each batch, and V8 begins to mark its whole heap step
 * by step whenever so many have come: 14 times a second, a third of the processor time of producer and consumer. All at one go it
 * marks once a second, for some 20 ms.
 */
const streamNodeOptions = [...nodeOptions, '--no-incremental-marking'];

/** What the admission level `restricted` asks of each container. */
const containerSecurity = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  runAsNonRoot: true,
  capabilities: { drop: ['ALL'] },
};

/** The kafka-liveness pod of a run. `brokerLabels` are the labels of the broker pods, which it keeps away from. */
export function livenessPod(options: {
  experiment: ResolvedExperiment;
  run: RunIdentity;
  /** Every broker as host:port; all of them, so that no client hangs on one. */
  bootstrap: string[];
  /** Broker ids by those addresses, as far as they are known. */
  brokerIds?: Record<string, number>;
  /** Epoch ms after which Kubernetes ends the pod, and anything may remove it. */
  expires: number;
  /** Epoch ms. */
  now: number;
  brokerLabels: Record<string, string>;
  /** With which the pod goes: the claim of its run. */
  owner?: OwnerReference | undefined;
}): KubernetesObject {
  const { experiment, run, expires } = options;
  const { liveness, cluster } = experiment;
  const shared: Omit<LivenessEnvironment, 'LIVENESS_ROLE'> = {
    LIVENESS_BOOTSTRAP: options.bootstrap
      .map((address) => bootstrapVariable(address, options.brokerIds?.[address]))
      .join(','),
    LIVENESS_TOPIC: topicName(run, expires),
    LIVENESS_RUN_ID: shortRunId(run),
    LIVENESS_RATE: String(liveness.ratePerSecond),
    LIVENESS_STREAM: streamVariable(liveness),
    LIVENESS_SECURITY: securityVariable(cluster),
    LIVENESS_REPLICATION_FACTOR: String(liveness.replicationFactor),
    LIVENESS_MIN_INSYNC_REPLICAS: String(liveness.minInsyncReplicas),
    LIVENESS_CONSUMER_TIMEOUT_MS: String(liveness.consumerTimeoutMs),
    LIVENESS_PROBE_STEP_MS: String(liveness.probeStepMs),
  };
  const credentials = credentialsVolume(cluster);
  const container = (name: string, role: LivenessEnvironment['LIVENESS_ROLE']) => ({
    name,
    image: liveness.image,
    imagePullPolicy: liveness.imagePullPolicy,
    command: ['node', ...nodeOptionsOf(role), '/app/dist/src/liveness/main.js'],
    env: Object.entries({ ...shared, LIVENESS_ROLE: role }).map(([key, value]) => ({ name: key, value })),
    resources,
    securityContext: containerSecurity,
    terminationMessagePolicy: 'File',
    volumeMounts: [
      { name: 'tmp', mountPath: '/tmp' },
      ...(credentials ? [{ name: 'credentials', mountPath: credentialsFolder, readOnly: true }] : []),
    ],
  });
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: livenessPodName,
      namespace: cluster.namespace,
      labels: { app: livenessPodName, ...runLabels(run) },
      annotations: runAnnotations(run, expires),
      ...(options.owner ? { ownerReferences: [options.owner] } : {}),
    },
    spec: {
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      // When nobody is left to clean up, the pod ends by itself.
      activeDeadlineSeconds: Math.max(1, Math.ceil((expires - options.now) / 1_000)),
      terminationGracePeriodSeconds: 5,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 1000,
        runAsGroup: 1000,
        seccompProfile: { type: 'RuntimeDefault' },
      },
      // Away from the brokers' nodes where there are others: what hits a broker's node must not hit the witness.
      affinity: {
        podAntiAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            {
              weight: 100,
              podAffinityTerm: {
                topologyKey: 'kubernetes.io/hostname',
                labelSelector: { matchLabels: options.brokerLabels },
              },
            },
          ],
        },
      },
      nodeSelector: liveness.nodeSelector,
      tolerations: liveness.tolerations,
      imagePullSecrets: liveness.imagePullSecrets.map((name) => ({ name })),
      initContainers: [container('kafka-topic', 'topic')],
      containers: [
        container('kafka-producer', 'producer'),
        container('kafka-consumer', 'consumer'),
        container('kafka-observer', 'observer'),
      ],
      volumes: [{ name: 'tmp', emptyDir: {} }, ...(credentials ? [credentials] : [])],
    },
  };
}

/** Node's options for a container. */
export function nodeOptionsOf(role: LivenessEnvironment['LIVENESS_ROLE']): string[] {
  return role === 'producer' || role === 'consumer' ? streamNodeOptions : nodeOptions;
}
