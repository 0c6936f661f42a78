import { runAnnotations, runLabels, shortRunId } from '../../experiment/identity.ts';
import type { KubernetesObject } from '../../kubernetes/port.ts';
import { poll } from '../../kubernetes/wait.ts';
import type { Pod } from '../../kubernetes/workloads.ts';
import type { Preparation } from '../fault.ts';
import { crashNamespace } from './pod.ts';

/** Between two looks at the pods. ms */
const lookMs = 300;

/**
 * Lets every node pull the image before it matters: a first pull takes longer than a kill may be late. One pod a node that ends at
 * once, and is removed again. A node that cannot pull in time is not waited for: the kill says so itself.
 */
export async function fetchImage(context: Preparation): Promise<void> {
  const { kubernetes, nodes, until, signal } = context;
  const pods = nodes.map((node, index) => imagePod(context, node, index + 1));
  for (const pod of pods) await kubernetes.create(pod);
  await Promise.all(
    pods.map(async ({ metadata }) => {
      const ref = { apiVersion: 'v1', kind: 'Pod', namespace: crashNamespace, name: metadata?.name ?? '' };
      await poll(async () => (isOver(await kubernetes.read<Pod>(ref)) ? true : undefined), {
        ...{ everyMs: lookMs, until, signal },
      });
      await kubernetes.remove(ref, { gracePeriodSeconds: 0 });
    }),
  );
}

function isOver(pod: Pod | undefined): boolean {
  return !pod || ['Succeeded', 'Failed'].includes(pod.status?.phase ?? '');
}

function imagePod(
  { experiment, run, expires, until }: Preparation,
  node: string,
  number: number,
): KubernetesObject {
  const { image, imagePullPolicy, imagePullSecrets } = experiment.liveness;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `leaderfall-crash-${shortRunId(run)}-image-${number}`,
      namespace: crashNamespace,
      labels: { app: 'leaderfall-crash', ...runLabels(run) },
      annotations: runAnnotations(run, expires),
    },
    spec: {
      nodeName: node,
      restartPolicy: 'Never',
      activeDeadlineSeconds: Math.max(1, Math.ceil((until - Date.now()) / 1_000)),
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      tolerations: [{ operator: 'Exists' }],
      imagePullSecrets: imagePullSecrets.map((name) => ({ name })),
      containers: [
        {
          name: 'image',
          image,
          imagePullPolicy,
          command: ['true'],
          resources: { requests: { cpu: '10m', memory: '16Mi' }, limits: { cpu: '1', memory: '32Mi' } },
          securityContext: {
            runAsNonRoot: true,
            readOnlyRootFilesystem: true,
            allowPrivilegeEscalation: false,
            capabilities: { drop: ['ALL'] },
            seccompProfile: { type: 'RuntimeDefault' },
          },
        },
      ],
    },
  };
}
