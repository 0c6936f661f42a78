import { shortRunId } from '../../experiment/identity.ts';
import type { KubernetesObject } from '../../kubernetes/port.ts';
import { poll } from '../../kubernetes/wait.ts';
import type { Pod } from '../../kubernetes/workloads.ts';
import type { Preparation } from '../fault.ts';
import { crashNamespace, podOnNode } from './pod.ts';

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

function imagePod(context: Preparation, node: string, number: number): KubernetesObject {
  return podOnNode(context, {
    name: `leaderfall-crash-${shortRunId(context.run)}-image-${number}`,
    node,
    seconds: Math.max(1, Math.ceil((context.until - Date.now()) / 1_000)),
    container: {
      name: 'image',
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
  });
}
