import { problemOf } from '../experiment/errors.ts';
import { type Belonging, belongingOf, managedBy } from '../experiment/identity.ts';
import { crashNamespace } from '../faults/crash/pod.ts';
import type { KubernetesObject, KubernetesPort } from '../kubernetes/port.ts';

/** An object that a run made, or an object of somebody else's that a run has annotated (a StatefulSet). */
export interface Trace extends Belonging {
  kind: string;
  namespace: string;
  name: string;
  object: KubernetesObject;
}

/** Kinds of objects that runs make in a Kafka's namespace. */
const madeKinds = [
  { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' },
  { apiVersion: 'v1', kind: 'Pod' },
  { apiVersion: 'kudo.dev/v1beta1', kind: 'Instance' },
  { apiVersion: 'kudo.dev/v1beta1', kind: 'OperatorVersion' },
  { apiVersion: 'kudo.dev/v1beta1', kind: 'Operator' },
] as const;

const label = `app.kubernetes.io/managed-by=${managedBy}`;

/** Everything that bears the mark of a run in these namespaces and among the crash pods, as far as the worker may see it. */
export async function tracesIn(kubernetes: KubernetesPort, namespaces: string[]): Promise<Trace[]> {
  const wanted = [
    ...namespaces.flatMap((namespace) => [
      ...madeKinds.map((kind) => ({ kind: { ...kind, namespace }, selector: { label } })),
      // Annotated, not made: nothing of ours is among its labels.
      { kind: { apiVersion: 'apps/v1', kind: 'StatefulSet', namespace }, selector: {} },
    ]),
    { kind: { apiVersion: 'v1', kind: 'Pod', namespace: crashNamespace }, selector: { label } },
  ];
  const traces: Trace[] = [];
  for (const { kind, selector } of wanted) {
    const { items } = await kubernetes.list(kind, selector).catch((error: unknown) => {
      // Without rights to KUDO or to the crash pods there are none of this worker's making.
      const { code, retryable } = problemOf(error);
      if (code === 'KUBERNETES_REFUSED' && !retryable) return { items: [] };
      throw error;
    });
    traces.push(...items.flatMap((object) => traceOf(kind.kind, kind.namespace, object)));
  }
  return traces;
}

/** Namespaces with something of a run in them, as far as the worker's rights reach. */
export async function namespacesWithTraces(kubernetes: KubernetesPort): Promise<string[]> {
  const found = new Set<string>();
  for (const kind of madeKinds.slice(0, 3)) {
    const items = await kubernetes.list(kind, { label }).then(
      (list) => list.items,
      () => [],
    );
    for (const { metadata } of items) if (metadata?.namespace) found.add(metadata.namespace);
  }
  found.delete(crashNamespace);
  return [...found].sort();
}

function traceOf(kind: string, namespace: string, object: KubernetesObject): Trace[] {
  const belonging = belongingOf(object.metadata ?? {});
  return belonging ? [{ kind, namespace, name: object.metadata?.name ?? '', object, ...belonging }] : [];
}
