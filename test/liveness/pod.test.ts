import { expect, test } from 'vitest';
import { resolveExperiment } from '../../src/experiment/resolve.ts';
import { experimentSchema } from '../../src/experiment/spec.ts';
import { livenessPod } from '../../src/liveness/pod.ts';

interface Container {
  name: string;
  image: string;
  command: string[];
  env: { name: string; value: string }[];
  resources: { requests: object; limits: object };
  securityContext: object;
}

interface PodSpec {
  activeDeadlineSeconds: number;
  restartPolicy: string;
  automountServiceAccountToken: boolean;
  securityContext: object;
  initContainers: Container[];
  containers: Container[];
  affinity: unknown;
  tolerations: unknown;
  nodeSelector: unknown;
  imagePullSecrets: unknown;
}

const bootstrap = ['a:9092', 'b:9092'];
const run = { temporalNamespace: 'default', workflowId: 'w', runId: '0123456789abcdef' };
const experiment = resolveExperiment(
  experimentSchema.parse({
    cluster: { namespace: 'kafka' },
    liveness: {
      nodeSelector: { disk: 'ssd' },
      tolerations: [{ key: 'k', operator: 'Exists' }],
      imagePullSecrets: ['secret'],
    },
  }),
  { image: 'leaderfall:1' },
);
const pod = livenessPod({
  experiment,
  run,
  bootstrap,
  brokerIds: { 'b:9092': 1001 },
  expires: 61_500,
  now: 1_000,
  brokerLabels: { app: 'kafka' },
});
const spec = pod.spec as PodSpec;

test('has the fixed name, the run’s label and its expiry', () => {
  expect(pod.metadata).toMatchObject({
    name: 'kafka-liveness',
    namespace: 'kafka',
    labels: { 'leaderfall.io/run-id': run.runId },
    annotations: {
      'leaderfall.io/owner': 'default/w/0123456789abcdef',
      'leaderfall.io/expires': '1970-01-01T00:01:01.500Z',
    },
  });
});

test('no more than the stream’s own containers mark their memory at one go: the observer must not stand still for that long', () => {
  const atOnce = ({ command }: Container) => command.includes('--no-incremental-marking');
  expect(spec.containers.filter(atOnce).map(({ name }) => name)).toEqual([
    'kafka-producer',
    'kafka-consumer',
  ]);
});

test('ends by itself at its expiry', () => {
  expect(spec.activeDeadlineSeconds).toBe(61);
});

test('meets the pod security level restricted in every container', () => {
  expect(spec.securityContext).toMatchObject({
    runAsNonRoot: true,
    seccompProfile: { type: 'RuntimeDefault' },
  });
  expect(spec.automountServiceAccountToken).toBe(false);
  for (const container of [...spec.initContainers, ...spec.containers]) {
    expect(container.securityContext).toMatchObject({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(container.resources.requests).toBeDefined();
    expect(container.resources.limits).toBeDefined();
  }
});

test('one init container makes the topic; producer, consumer and observer follow and never restart', () => {
  expect(spec.initContainers.map(({ name }) => name)).toEqual(['kafka-topic']);
  expect(spec.containers.map(({ name }) => name)).toEqual([
    'kafka-producer',
    'kafka-consumer',
    'kafka-observer',
  ]);
  expect(spec.restartPolicy).toBe('Never');
});

test('bootstraps from all brokers, with min.insync.replicas one less than the replicas', () => {
  const env = Object.fromEntries(spec.containers[0]?.env.map(({ name, value }) => [name, value]) ?? []);
  expect(env).toMatchObject({
    LIVENESS_BOOTSTRAP: 'a:9092,1001@b:9092',
    LIVENESS_TOPIC: 'leaderfall-0123456789abcdef-19700101T000102Z',
    LIVENESS_REPLICATION_FACTOR: '3',
    LIVENESS_MIN_INSYNC_REPLICAS: '2',
    LIVENESS_PROBE_STEP_MS: '3',
  });
});

test('goes where it is told, and away from the brokers where it can', () => {
  expect(JSON.stringify(spec.affinity)).toContain('"matchLabels":{"app":"kafka"}');
  expect(spec).toMatchObject({
    nodeSelector: { disk: 'ssd' },
    tolerations: [{ key: 'k', operator: 'Exists' }],
    imagePullSecrets: [{ name: 'secret' }],
  });
});
