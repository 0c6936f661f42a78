import type { KubernetesObject, KubernetesPort } from './port.ts';
import type { Pod, StatefulSet } from './workloads.ts';

/** An Event as the API has it, as far as it tells why something does not get on. */
interface EventObject extends KubernetesObject {
  type?: string;
  reason?: string;
  message?: string;
  lastTimestamp?: string | Date | null;
  eventTime?: string | Date | null;
  series?: { lastObservedTime?: string | Date };
  involvedObject?: { uid?: string };
}

/** The last Event about each of some objects, one clause an object, with its name. */
export interface LastEvents {
  /** Something does not get on, such as a volume that cannot be mounted or a pod that is refused. */
  warnings: string[];
  /** An image is being pulled, which may take long or hang: nothing tells which. */
  pulls: string[];
}

/** So often Events are asked for at most. ms */
const everyMs = 3_000;

/** Looks at the last Events of objects that show no reason themselves; asks again only after a while. Never throws. */
export function eventReader(
  kubernetes: KubernetesPort,
  namespace: string,
): (objects: KubernetesObject[]) => Promise<LastEvents> {
  let askedAt = Number.NEGATIVE_INFINITY;
  let last: LastEvents = { warnings: [], pulls: [] };
  return async (objects) => {
    if (objects.length === 0) return { warnings: [], pulls: [] };
    if (Date.now() - askedAt < everyMs) return last;
    askedAt = Date.now();
    const found: LastEvents = { warnings: [], pulls: [] };
    for (const object of objects) {
      const event = await lastEvent(kubernetes, namespace, object).catch(() => undefined);
      const clause = `${object.metadata?.name}: ${event?.reason}: ${event?.message?.slice(0, 300)}`;
      if (event?.type === 'Warning') found.warnings.push(clause);
      else if (event?.reason === 'Pulling') found.pulls.push(clause);
    }
    last = found;
    return found;
  };
}

/** Pods that a node was found for and that do not run yet. */
export function startingPods(pods: Pod[]): Pod[] {
  return pods.filter(
    ({ status, metadata }) =>
      (status?.phase ?? 'Pending') === 'Pending' && metadata?.deletionTimestamp === undefined,
  );
}

/** StatefulSets that have fewer pods than they should: a quota or an admission may refuse them. */
export function shortStatefulSets(statefulSets: KubernetesObject[]): KubernetesObject[] {
  return statefulSets.filter(
    ({ spec, status }: StatefulSet) => (status?.replicas ?? 0) < (spec?.replicas ?? 1),
  );
}

async function lastEvent(
  kubernetes: KubernetesPort,
  namespace: string,
  { metadata }: KubernetesObject,
): Promise<EventObject | undefined> {
  const uid = metadata?.uid ?? '';
  const kind = { apiVersion: 'v1', kind: 'Event', namespace };
  const { items } = await kubernetes.list<EventObject>(kind, { field: `involvedObject.uid=${uid}` });
  // Stamps are whole seconds: of two at once the one that is no warning counts.
  return items
    .filter(({ involvedObject }) => involvedObject?.uid === uid)
    .sort((a, b) => seenAt(b) - seenAt(a) || Number(a.type === 'Warning') - Number(b.type === 'Warning'))[0];
}

function seenAt({ series, lastTimestamp, eventTime, metadata }: EventObject): number {
  const stamp = series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? metadata?.creationTimestamp;
  return stamp ? new Date(stamp as string | Date).getTime() : 0;
}
