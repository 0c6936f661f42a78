import type { Socket } from 'node:net';

/** Names one object. */
export interface ObjectRef {
  apiVersion: string;
  kind: string;
  name: string;
  namespace?: string;
}

/** The parts of any object that we rely on. */
export interface KubernetesObject {
  apiVersion?: string;
  kind?: string;
  metadata?: {
    name?: string;
    namespace?: string;
    uid?: string;
    resourceVersion?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    deletionTimestamp?: string | Date;
    [key: string]: unknown;
  };
  [key: string]: unknown;
}

/** An object with which another one goes. */
export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
}

/** One right that a step needs. */
export interface Permission {
  verb: string;
  group: string;
  resource: string;
  subresource?: string;
  namespace?: string;
  /** The one object that it is about; all of them where it is not named. */
  name?: string;
}

/** Answer of a fenced delete. */
export type DeleteAnswer =
  | { outcome: 'deleted'; object?: KubernetesObject }
  | { outcome: 'not-found' }
  /** The object of that name now has another UID. */
  | { outcome: 'uid-changed' }
  /** It is the same object, written since `resourceVersion`. */
  | { outcome: 'written' };

/** A change seen by a watch. */
export interface WatchEvent<T> {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  object: T;
}

/** What an API server says of itself. */
export interface ServerVersion {
  gitVersion: string;
  major: number;
  minor: number;
  /** ms, within a second or so. */
  aheadMs?: number;
}

/**
 * The narrow port to Kubernetes. Every call has a time-out (default 10 s), retries only what was not carried out
 * (connection refused, 429, 503), and throws LeaderfallError (KUBERNETES_UNREACHABLE retryable, KUBERNETES_REFUSED not).
 */
export interface KubernetesPort {
  /** Server version, e.g. `v1.34.4`, and by how much this machine's clock is ahead of the server's, where it can be told. */
  version(): Promise<ServerVersion>;
  /** Undefined where it does not exist. */
  read<T extends KubernetesObject>(ref: ObjectRef): Promise<T | undefined>;
  list<T extends KubernetesObject>(
    kind: { apiVersion: string; kind: string; namespace?: string },
    selector?: { label?: string; field?: string },
  ): Promise<{ items: T[]; resourceVersion: string }>;
  /** 'exists' where an object of that name is there already. */
  create<T extends KubernetesObject>(object: T): Promise<T | 'exists'>;
  /** JSON merge patch; `resourceVersion` inside the patch fences it. Throws KUBERNETES_REFUSED on a conflict. */
  mergePatch<T extends KubernetesObject>(ref: ObjectRef, patch: object): Promise<T>;
  /** 'conflict' where the object is another one by now, or gone. */
  replace<T extends KubernetesObject>(object: T): Promise<T | 'conflict'>;
  remove(
    ref: ObjectRef,
    options?: {
      uid?: string;
      resourceVersion?: string;
      gracePeriodSeconds?: number;
      propagation?: 'Background' | 'Foreground' | 'Orphan';
      /** Epoch ms: not sent, not retried and not waited for after this. What was on its way then may still be carried out. */
      notAfter?: number;
    },
  ): Promise<DeleteAnswer>;
  /**
   * Changes from a resourceVersion on until `signal` aborts; re-lists where the version is too old and yields what it finds
   * as MODIFIED. Ends quietly on abort.
   */
  watch<T extends KubernetesObject>(
    kind: { apiVersion: string; kind: string; namespace?: string },
    options: { label?: string; field?: string; resourceVersion?: string; signal: AbortSignal },
  ): AsyncIterable<WatchEvent<T>>;
  /** HTTP to a pod through the API server (pods/proxy). Throws KUBERNETES_UNREACHABLE when the pod does not answer. */
  podRequest(
    pod: { namespace: string; name: string; port: number },
    request: { method: 'GET' | 'POST'; path: string; timeoutMs?: number },
  ): Promise<{ status: number; body: string }>;
  podLogs(pod: { namespace: string; name: string }, container: string, tailLines: number): Promise<string>;
  /**
   * A container's log from its last line on, line by line, until the container ends or `signal` aborts. Ends quietly where it
   * cannot be had, which is not looked into: a log is evidence where there is one.
   */
  followLog(
    pod: { namespace: string; name: string },
    container: string,
    signal: AbortSignal,
  ): AsyncIterable<string>;
  /** A byte stream to a port of a pod (pods/portforward), as a connected socket. */
  portForward(pod: { namespace: string; name: string; port: number }): Promise<Socket>;
  /** The permissions that are missing. */
  missingPermissions(permissions: Permission[]): Promise<Permission[]>;
}
