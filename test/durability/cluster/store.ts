import { randomUUID } from 'node:crypto';
import type { KubernetesObject } from '../../../src/kubernetes/port.ts';

/** An object and the resource that it is one of, as in `pods`. */
export interface Stored {
  resource: string;
  object: KubernetesObject;
}

/** One change, as a watch tells it. */
export interface Change extends Stored {
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  version: number;
}

/** Objects with UIDs and resource versions, all changes since the beginning, and what follows a deletion by ownership. */
export interface Store {
  read(resource: string, name: string, namespace?: string): KubernetesObject | undefined;
  list(resource: string, namespace?: string): KubernetesObject[];
  version(): number;
  /** Undefined where that name is taken. */
  create(resource: string, object: KubernetesObject): KubernetesObject | undefined;
  /** Keeps the UID; undefined where it is not there. */
  update(resource: string, object: KubernetesObject): KubernetesObject | undefined;
  /** Removes it and whatever it owns. */
  remove(resource: string, name: string, namespace?: string): void;
  changesSince(version: number): Change[];
  /** Gives the function that ends it. */
  onChange(listener: (change: Change) => void): () => void;
  all(): Stored[];
}

/** Makes an empty one. */
export function makeStore(): Store {
  const objects = new Map<string, Stored>();
  const changes: Change[] = [];
  const listeners = new Set<(change: Change) => void>();
  const keyOf = (resource: string, name = '', namespace = '') => `${resource} ${namespace}/${name}`;
  const keyOfObject = (resource: string, { metadata }: KubernetesObject) =>
    keyOf(resource, metadata?.name, metadata?.namespace);

  function tell(type: Change['type'], resource: string, object: KubernetesObject): KubernetesObject {
    const version = changes.length + 1;
    const stamped = { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
    const change = { type, resource, object: stamped, version };
    changes.push(change);
    if (type === 'DELETED') objects.delete(keyOfObject(resource, stamped));
    else objects.set(keyOfObject(resource, stamped), { resource, object: stamped });
    for (const listener of listeners) listener(change);
    return structuredClone(stamped);
  }

  const store: Store = {
    read: (resource, name, namespace) =>
      structuredClone(objects.get(keyOf(resource, name, namespace))?.object),
    list: (resource, namespace) =>
      [...objects.values()]
        .filter(
          (one) => one.resource === resource && (!namespace || one.object.metadata?.namespace === namespace),
        )
        .map(({ object }) => structuredClone(object)),
    version: () => changes.length,
    create: (resource, object) => {
      if (objects.has(keyOfObject(resource, object))) return undefined;
      const made = { uid: randomUUID(), creationTimestamp: new Date().toISOString() };
      return tell('ADDED', resource, {
        ...structuredClone(object),
        metadata: { ...object.metadata, ...made },
      });
    },
    update: (resource, object) => {
      const found = objects.get(keyOfObject(resource, object));
      if (!found) return undefined;
      const { uid, creationTimestamp } = found.object.metadata ?? {};
      const metadata = { ...object.metadata, uid, creationTimestamp };
      return tell('MODIFIED', resource, { ...structuredClone(object), metadata });
    },
    remove: (resource, name, namespace) => {
      const found = objects.get(keyOf(resource, name, namespace));
      if (!found) return;
      const { uid } = found.object.metadata ?? {};
      tell('DELETED', resource, found.object);
      for (const one of [...objects.values()]) {
        const owners = (one.object.metadata?.ownerReferences ?? []) as { uid?: string }[];
        if (!owners.some((owner) => owner.uid === uid)) continue;
        store.remove(one.resource, one.object.metadata?.name ?? '', one.object.metadata?.namespace);
      }
    },
    changesSince: (version) => changes.slice(version),
    onChange: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    all: () => [...objects.values()],
  };
  return store;
}

/** JSON merge patch, RFC 7396. */
export function mergedWith(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const base =
    typeof target === 'object' && target !== null ? { ...(target as Record<string, unknown>) } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete base[name];
    else base[name] = mergedWith(base[name], value);
  }
  return base;
}
