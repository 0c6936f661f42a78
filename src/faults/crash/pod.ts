import { runAnnotations, runLabels, shortRunId } from '../../experiment/identity.ts';
import type { BrokerContainer } from '../../experiment/kill-record.ts';
import type { KubernetesObject } from '../../kubernetes/port.ts';
import type { FaultContext } from '../fault.ts';
import { type CrashEnvironment, crashPort } from './protocol.ts';

/** Its one container, whose last words say what it did. */
export const crashContainer = 'crash';

/** Where the privileged pods are: a namespace of their own, so that the Kafka's can stay closed to such pods. */
export const crashNamespace = 'leaderfall-crash';

/** How long a pod outlives the last moment of its kill: for its answer to be read. s */
const afterwardsSeconds = 60;

/** One pod on one node. */
interface PodOnNode {
  name: string;
  node: string;
  /** How long it may live, s. */
  seconds: number;
  container: object;
  spec?: object;
}

/** Name of the pod for one kill of one life of one container. */
export function crashPodName({ run, plan }: FaultContext, container: BrokerContainer): string {
  return `leaderfall-crash-${shortRunId(run)}-${plan.index + 1}-${container.id.slice(0, 8)}`;
}

/** What the pods on brokers' nodes have in common. `container` without its image. */
export function podOnNode(
  { experiment, run, expires }: Pick<FaultContext, 'experiment' | 'run' | 'expires'>,
  { name, node, seconds, container, spec = {} }: PodOnNode,
): KubernetesObject {
  const { image, imagePullPolicy, imagePullSecrets } = experiment.liveness;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: crashNamespace,
      labels: { app: 'leaderfall-crash', ...runLabels(run) },
      annotations: runAnnotations(run, expires),
    },
    spec: {
      nodeName: node,
      restartPolicy: 'Never',
      activeDeadlineSeconds: seconds,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      // Brokers often have nodes of their own, with taints that keep everybody else away.
      tolerations: [{ operator: 'Exists' }],
      imagePullSecrets: imagePullSecrets.map((secret) => ({ name: secret })),
      ...spec,
      containers: [{ image, imagePullPolicy, ...container }],
    },
  };
}

/** The pod that sends the SIGKILL: on the broker's node, sees the node's processes, lives as long as its kill. */
export function crashPod(context: FaultContext, container: BrokerContainer, node: string): KubernetesObject {
  const { plan } = context;
  const environment: CrashEnvironment = {
    CRASH_POD_UID: plan.podUid,
    CRASH_CONTAINER_ID: container.id,
    CRASH_NOT_AFTER: String(plan.notAfter),
  };
  const lifeMs = Math.max(0, plan.notAfter - context.now());
  return podOnNode(context, {
    name: crashPodName(context, container),
    node,
    seconds: Math.ceil(lifeMs / 1_000) + afterwardsSeconds,
    spec: { hostPID: true, terminationGracePeriodSeconds: 1 },
    container: {
      name: crashContainer,
      command: ['node', '--max-old-space-size=64', '/app/dist/src/faults/crash/main.js'],
      env: Object.entries(environment).map(([name, value]) => ({ name, value })),
      ports: [{ containerPort: crashPort }],
      resources: {
        requests: { cpu: '10m', memory: '48Mi' },
        limits: { cpu: '1', memory: '128Mi' },
      },
      // A process of another container, of another user, under whatever SELinux or AppArmor: less is refused somewhere.
      securityContext: { privileged: true, runAsUser: 0, readOnlyRootFilesystem: true },
      terminationMessagePolicy: 'File',
    },
  });
}
