import { runAnnotations, runLabels, shortRunId } from '../../experiment/identity.ts';
import type { BrokerContainer } from '../../experiment/result.ts';
import type { KubernetesObject } from '../../kubernetes/port.ts';
import type { FaultContext } from '../fault.ts';
import { type CrashEnvironment, crashPort } from './protocol.ts';

/** Where the privileged pods are: a namespace of their own, so that the Kafka's can stay closed to such pods. */
export const crashNamespace = 'leaderfall-crash';

/** How long a pod outlives the last moment of its kill: for its answer to be read. s */
const afterwardsSeconds = 60;

/** Name of the pod for one kill of one life of one container. */
export function crashPodName({ run, plan }: FaultContext, container: BrokerContainer): string {
  return `leaderfall-crash-${shortRunId(run)}-${plan.index + 1}-${container.id.slice(0, 8)}`;
}

/** The pod that sends the SIGKILL: on the broker's node, sees the node's processes, lives as long as its kill. */
export function crashPod(context: FaultContext, container: BrokerContainer, node: string): KubernetesObject {
  const { run, plan, expires, experiment } = context;
  const { image, imagePullPolicy, imagePullSecrets } = experiment.liveness;
  const environment: CrashEnvironment = {
    CRASH_POD_UID: plan.podUid,
    CRASH_CONTAINER_ID: container.id,
    CRASH_NOT_AFTER: String(plan.notAfter),
  };
  const lifeMs = Math.max(0, plan.notAfter - context.now());
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: crashPodName(context, container),
      namespace: crashNamespace,
      labels: { app: 'leaderfall-crash', ...runLabels(run) },
      annotations: runAnnotations(run, expires),
    },
    spec: {
      nodeName: node,
      hostPID: true,
      restartPolicy: 'Never',
      activeDeadlineSeconds: Math.ceil(lifeMs / 1_000) + afterwardsSeconds,
      terminationGracePeriodSeconds: 1,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      // Brokers often have nodes of their own, with taints that keep everybody else away.
      tolerations: [{ operator: 'Exists' }],
      imagePullSecrets: imagePullSecrets.map((name) => ({ name })),
      containers: [
        {
          name: 'crash',
          image,
          imagePullPolicy,
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
      ],
    },
  };
}
