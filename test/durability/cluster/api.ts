import type { KubernetesObject } from '../../../src/kubernetes/port.ts';
import { meets, type Route } from './route.ts';
import { mergedWith, type Store } from './store.ts';

/** An answer of the API server: one body, or changes as they come. */
export type Answer = { status: number; body: unknown } | { watch: (object: KubernetesObject) => boolean };

/** A request with its body read. */
export interface Request {
  method: string;
  path: string;
  query: URLSearchParams;
  body: unknown;
  /** When nobody waits for the answer any more. */
  abandoned: Promise<unknown>;
}

/** What an API server leaves to others. */
export interface Behind {
  store: Store;
  /** Ends a pod within its grace; the server only marks it. */
  terminate(pod: KubernetesObject): void;
  proxy(pod: string, port: number, request: string): { status: number; body: unknown };
}

/** What a refusal looks like. */
export function status(code: number, reason: string, message = reason): Answer {
  return {
    status: code,
    body: { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message },
  };
}

/** Carries out a request as an API server does, as far as Leaderfall can tell. */
export function serve(request: Request, route: Route, behind: Behind): Answer {
  const { resource, namespace, name, rest } = route;
  const { method, query } = request;
  const { store } = behind;
  if (resource === 'selfsubjectaccessreviews') {
    return { status: 201, body: { ...(request.body as object), status: { allowed: true } } };
  }
  if (rest?.startsWith('proxy')) return proxied(request, route, behind);
  if (rest === 'log') return status(404, 'NotFound');
  if (!name) {
    const field = /^metadata\.name=(.*)$/.exec(query.get('fieldSelector') ?? '')?.[1];
    const wanted = ({ metadata }: KubernetesObject) =>
      meets(query.get('labelSelector'), metadata?.labels) && (!field || metadata?.name === field);
    if (query.get('watch') === 'true')
      return {
        watch: (object) => wanted(object) && (!namespace || object.metadata?.namespace === namespace),
      };
    if (method === 'POST') return created(request.body as KubernetesObject, route, store);
    const items = store.list(resource, namespace).filter(wanted);
    return {
      status: 200,
      body: { kind: 'List', metadata: { resourceVersion: String(store.version()) }, items },
    };
  }
  const found = store.read(resource, name, namespace);
  // Of all kinds here, a Lease alone may be made by a PUT.
  if (!found && method === 'PUT' && resource === 'leases') {
    const object = request.body as KubernetesObject;
    return object.metadata?.uid ? status(409, 'Conflict') : created(object, route, store);
  }
  if (!found) return status(404, 'NotFound', `${resource} "${name}" not found`);
  if (method === 'DELETE') return deleted(request.body, found, route, behind);
  if (method === 'GET') return { status: 200, body: found };
  const next =
    method === 'PATCH'
      ? (mergedWith(found, request.body) as KubernetesObject)
      : (request.body as KubernetesObject);
  const fence = (request.body as KubernetesObject).metadata?.resourceVersion;
  if (fence !== undefined && fence !== found.metadata?.resourceVersion) return status(409, 'Conflict');
  return { status: 200, body: store.update(resource, next) };
}

function created(object: KubernetesObject, { resource, namespace }: Route, store: Store): Answer {
  const name =
    object.metadata?.name ??
    `${(object.metadata?.generateName as string | undefined) ?? ''}${store.version()}`;
  const metadata = { ...object.metadata, name, ...(namespace ? { namespace } : {}) };
  const made = store.create(resource, { ...object, metadata });
  return made ? { status: 201, body: made } : status(409, 'AlreadyExists');
}

function deleted(
  body: unknown,
  found: KubernetesObject,
  { resource, namespace, name = '' }: Route,
  { store, terminate }: Behind,
): Answer {
  const { preconditions, gracePeriodSeconds = 30 } = (body ?? {}) as {
    preconditions?: { uid?: string; resourceVersion?: string };
    gracePeriodSeconds?: number;
  };
  const { uid, resourceVersion } = found.metadata ?? {};
  const wanted = { uid, resourceVersion, ...preconditions };
  if (wanted.uid !== uid || wanted.resourceVersion !== resourceVersion) return status(409, 'Conflict');
  if (resource !== 'pods') {
    store.remove(resource, name, namespace);
    return { status: 200, body: { kind: 'Status', status: 'Success' } };
  }
  if (found.metadata?.deletionTimestamp) return { status: 200, body: found };
  const deletionTimestamp = new Date(
    Math.floor(Date.now() / 1_000 + gracePeriodSeconds) * 1_000,
  ).toISOString();
  const metadata = { ...found.metadata, deletionTimestamp, deletionGracePeriodSeconds: gracePeriodSeconds };
  const marked = store.update(resource, { ...found, metadata });
  if (marked) terminate(marked);
  return { status: 200, body: marked };
}

function proxied({ method, query }: Request, { name = '', rest = '' }: Route, { proxy }: Behind): Answer {
  const [pod = '', port = ''] = name.split(':');
  return proxy(pod, Number(port), `${method} ${rest.slice('proxy'.length)}?${query}`);
}
