import { problem } from '../../src/experiment/errors.ts';
import type { KubernetesObject, KubernetesPort, ObjectRef, Permission } from '../../src/kubernetes/port.ts';

/** A Kubernetes in memory with UIDs, resource versions, conflicts and label selectors; what a test needs and no more. */
export interface FakeKubernetes extends KubernetesPort {
  /** Everything there is, by `kind namespace/name`. */
  objects: Map<string, KubernetesObject>;
  /** Calls that wrote something, in order: `create Pod kafka/a`. */
  writes: string[];
  /** Rights that a review denies: `delete pods`. */
  denied: Set<string>;
  minor: number;
  /** By how much the test's clock is ahead of this server's, ms. */
  aheadMs: number;
}

/** Makes an empty one, a Kubernetes 1.34. */
export function fakeKubernetes(): FakeKubernetes {
  const objects = new Map<string, KubernetesObject>();
  const writes: string[] = [];
  const denied = new Set<string>();
  let version = 0;

  const key = (ref: { kind?: string; namespace?: string; name?: string }) =>
    `${ref.kind} ${ref.namespace ? `${ref.namespace}/` : ''}${ref.name}`;
  const keyOf = (object: KubernetesObject) => key({ kind: object.kind, ...object.metadata });
  const stamped = (object: KubernetesObject, uid?: string): KubernetesObject => {
    version++;
    return {
      ...structuredClone(object),
      metadata: {
        creationTimestamp: new Date().toISOString(),
        ...object.metadata,
        uid: uid ?? `uid-${version}`,
        resourceVersion: String(version),
      },
    };
  };
  const refused = (message: string) => problem('KUBERNETES_REFUSED', message, { retryable: true });

  const fake: FakeKubernetes = {
    objects,
    writes,
    denied,
    minor: 34,
    aheadMs: 0,
    version: async () => ({
      gitVersion: `v1.${fake.minor}.0`,
      major: 1,
      minor: fake.minor,
      aheadMs: fake.aheadMs,
    }),
    read: async <T extends KubernetesObject>(ref: ObjectRef) =>
      structuredClone(objects.get(key(ref))) as T | undefined,
    list: async <T extends KubernetesObject>(
      kind: { apiVersion: string; kind: string; namespace?: string },
      selector: { label?: string } = {},
    ) => {
      const wanted = (selector.label ?? '')
        .split(',')
        .filter(Boolean)
        .map((part) => part.split('='));
      const items = [...objects.values()].filter(
        (object) =>
          object.kind === kind.kind &&
          (kind.namespace === undefined || object.metadata?.namespace === kind.namespace) &&
          wanted.every(([name = '', value]) => object.metadata?.labels?.[name] === value),
      );
      return { items: structuredClone(items) as T[], resourceVersion: String(version) };
    },
    create: async (object) => {
      if (objects.has(keyOf(object))) return 'exists';
      writes.push(`create ${keyOf(object)}`);
      const made = stamped(object);
      objects.set(keyOf(object), made);
      return structuredClone(made) as typeof object;
    },
    mergePatch: async <T extends KubernetesObject>(ref: ObjectRef, patch: object) => {
      const found = objects.get(key(ref));
      if (!found) throw refused(`${key(ref)} not found`);
      const fence = (patch as KubernetesObject).metadata?.resourceVersion;
      if (fence !== undefined && fence !== found.metadata?.resourceVersion) throw refused('conflict');
      writes.push(`patch ${key(ref)}`);
      const merged = stamped(mergedWith(found, patch) as KubernetesObject, found.metadata?.uid);
      objects.set(key(ref), merged);
      return structuredClone(merged) as T;
    },
    replace: async (object) => {
      const found = objects.get(keyOf(object));
      if (!found || object.metadata?.resourceVersion !== found.metadata?.resourceVersion) return 'conflict';
      writes.push(`replace ${keyOf(object)}`);
      objects.set(keyOf(object), stamped(object, found.metadata?.uid));
      return object;
    },
    remove: async (ref, options = {}) => {
      const found = objects.get(key(ref));
      if (!found) return { outcome: 'not-found' };
      if (options.uid && options.uid !== found.metadata?.uid) return { outcome: 'uid-changed' };
      if (options.resourceVersion && options.resourceVersion !== found.metadata?.resourceVersion)
        return { outcome: 'written' };
      writes.push(`delete ${key(ref)}`);
      objects.delete(key(ref));
      return { outcome: 'deleted', object: found };
    },
    watch: () => {
      throw new Error('the fake has no watch');
    },
    podRequest: async () => {
      throw problem('KUBERNETES_UNREACHABLE', 'the fake has no pods that answer', { retryable: true });
    },
    podLogs: async () => '',
    followLog: async function* () {},
    portForward: async () => {
      throw new Error('the fake has no port-forward');
    },
    missingPermissions: async (permissions: Permission[]) =>
      permissions.filter(({ verb, resource }) => denied.has(`${verb} ${resource}`)),
  };
  return fake;
}

/** JSON merge patch, RFC 7396. */
function mergedWith(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const base =
    typeof target === 'object' && target !== null ? { ...(target as Record<string, unknown>) } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete base[name];
    else base[name] = mergedWith(base[name], value);
  }
  return base;
}
