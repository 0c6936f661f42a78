import { problem } from '../experiment/errors.ts';
import { followLog } from './follow-log.ts';
import { pathOf } from './kinds.ts';
import type {
  DeleteAnswer,
  KubernetesObject,
  KubernetesPort,
  ObjectRef,
  Permission,
  ServerVersion,
} from './port.ts';
import { openPortForward } from './port-forward.ts';
import { connectRest, type Rest, type RestAnswer } from './rest.ts';
import { watchObjects } from './watch-objects.ts';

/** Connects by Kubernetes' own conventions: KUBECONFIG, the given context, or in-cluster. Nothing is sent yet. */
export function connectKubernetes(options: { context?: string; kubeconfig?: string } = {}): KubernetesPort {
  const rest = connectRest(options);
  return {
    version: () => version(rest),
    read: <T extends KubernetesObject>(ref: ObjectRef) => read<T>(rest, ref),
    list: (kind, selector) => list(rest, kind, selector),
    create: (object) => create(rest, object),
    mergePatch: <T extends KubernetesObject>(ref: ObjectRef, patch: object) =>
      mergePatch<T>(rest, ref, patch),
    replace: (object) => replace(rest, object),
    remove: (ref, removal) => remove(rest, ref, removal),
    watch: (kind, watchOptions) => watchObjects(rest, kind, watchOptions, (k, s) => list(rest, k, s)),
    podRequest: (pod, request) => podRequest(rest, pod, request),
    podLogs: (pod, container, tailLines) => podLogs(rest, pod, container, tailLines),
    followLog: (pod, container, signal) => followLog(rest, pod, container, signal),
    portForward: (pod) => openPortForward(rest.config, pod),
    missingPermissions: (permissions) => missingPermissions(rest, permissions),
  };
}

async function version(rest: Rest): Promise<ServerVersion> {
  const answer = await rest.send({ method: 'GET', path: '/version' });
  const { aheadMs } = answer;
  const found = parsed<{ gitVersion: string; major: string; minor: string }>(
    accepted(answer, 'GET /version'),
  );
  return {
    ...(aheadMs === undefined ? {} : { aheadMs }),
    gitVersion: found.gitVersion,
    major: Number.parseInt(found.major, 10),
    minor: Number.parseInt(found.minor, 10),
  };
}

async function read<T extends KubernetesObject>(rest: Rest, ref: ObjectRef): Promise<T | undefined> {
  const answer = await rest.send({ method: 'GET', path: pathOf(ref) });
  if (answer.status === 404) return undefined;
  return parsed<T>(accepted(answer, `read ${describe(ref)}`));
}

async function list<T extends KubernetesObject>(
  rest: Rest,
  kind: { apiVersion: string; kind: string; namespace?: string },
  selector: { label?: string; field?: string } = {},
): Promise<{ items: T[]; resourceVersion: string }> {
  const query = new URLSearchParams();
  if (selector.label) query.set('labelSelector', selector.label);
  if (selector.field) query.set('fieldSelector', selector.field);
  const answer = await rest.send({ method: 'GET', path: `${pathOf(kind)}?${query}` });
  // A custom resource whose definition is not there yet has no objects.
  if (answer.status === 404) return { items: [], resourceVersion: '' };
  const found = parsed<{ items: T[]; metadata: { resourceVersion: string } }>(
    accepted(answer, `list ${kind.kind}`),
  );
  // The items of a list come without their own kind.
  const { apiVersion } = kind;
  const items = found.items.map((item) => ({ ...item, apiVersion, kind: kind.kind }));
  return { items, resourceVersion: found.metadata.resourceVersion };
}

async function create<T extends KubernetesObject>(rest: Rest, object: T): Promise<T | 'exists'> {
  const { name, namespace } = object.metadata ?? {};
  const collection = pathOf({ apiVersion: object.apiVersion, kind: object.kind, namespace });
  const answer = await rest.send({ method: 'POST', path: collection, body: object });
  if (answer.status === 409 && reasonOf(answer) === 'AlreadyExists') return 'exists';
  return parsed<T>(
    accepted(answer, `create ${object.kind} ${namespace ? `${namespace}/` : ''}${name ?? ''}`),
  );
}

async function mergePatch<T extends KubernetesObject>(rest: Rest, ref: ObjectRef, patch: object): Promise<T> {
  const contentType = 'application/merge-patch+json';
  const answer = await rest.send({ method: 'PATCH', path: pathOf(ref), body: patch, contentType });
  return parsed<T>(accepted(answer, `patch ${describe(ref)}`));
}

async function replace<T extends KubernetesObject>(rest: Rest, object: T): Promise<T | 'conflict'> {
  const { name = '', namespace } = object.metadata ?? {};
  const path = pathOf({ apiVersion: object.apiVersion, kind: object.kind, namespace, name });
  const answer = await rest.send({ method: 'PUT', path, body: object });
  if (answer.status === 409 || answer.status === 404) return 'conflict';
  return parsed<T>(accepted(answer, `replace ${object.kind} ${name}`));
}

async function remove(
  rest: Rest,
  ref: ObjectRef,
  options: Parameters<KubernetesPort['remove']>[1] = {},
): Promise<DeleteAnswer> {
  const { uid, resourceVersion } = options;
  const preconditions = { ...(uid ? { uid } : {}), ...(resourceVersion ? { resourceVersion } : {}) };
  const body = {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    ...(uid || resourceVersion ? { preconditions } : {}),
    ...(options.gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds: options.gracePeriodSeconds }),
    ...(options.propagation ? { propagationPolicy: options.propagation } : {}),
  };
  const { notAfter } = options;
  const answer = await rest.send({
    method: 'DELETE',
    path: pathOf(ref),
    body,
    ...(notAfter ? { notAfter } : {}),
  });
  if (answer.status === 404) return { outcome: 'not-found' };
  if (answer.status === 409) {
    // By the precondition, or by a write in the same moment: only what stands there now tells.
    const found = await read(rest, ref);
    if (!found) return { outcome: 'not-found' };
    if (uid !== undefined && found.metadata?.uid !== uid) return { outcome: 'uid-changed' };
    if (resourceVersion !== undefined && found.metadata?.resourceVersion !== resourceVersion)
      return { outcome: 'written' };
  }
  const object = parsed<KubernetesObject>(accepted(answer, `delete ${describe(ref)}`));
  return object.kind === 'Status' ? { outcome: 'deleted' } : { outcome: 'deleted', object };
}

async function podRequest(
  rest: Rest,
  pod: { namespace: string; name: string; port: number },
  request: Parameters<KubernetesPort['podRequest']>[1],
): Promise<{ status: number; body: string }> {
  const path = `/api/v1/namespaces/${pod.namespace}/pods/${pod.name}:${pod.port}/proxy${request.path}`;
  const { method, timeoutMs = 5_000 } = request;
  const answer = await rest.send({ method, path, timeoutMs });
  // 404 from the API server has a Status body: the pod is gone. 502 to 504: it does not answer.
  if (answer.status >= 500 || reasonOf(answer) === 'NotFound') {
    throw problem('KUBERNETES_UNREACHABLE', `pod ${pod.name} does not answer at port ${pod.port}`, {
      evidence: [`HTTP ${answer.status}: ${statusMessage(answer)}`],
      retryable: true,
    });
  }
  return answer;
}

async function podLogs(
  rest: Rest,
  pod: { namespace: string; name: string },
  container: string,
  tailLines: number,
): Promise<string> {
  const query = new URLSearchParams({ container, tailLines: String(tailLines) });
  const path = `/api/v1/namespaces/${pod.namespace}/pods/${pod.name}/log?${query}`;
  return accepted(await rest.send({ method: 'GET', path }), `logs of ${pod.name}`).body;
}

async function missingPermissions(rest: Rest, permissions: Permission[]): Promise<Permission[]> {
  const allowed = await Promise.all(
    permissions.map(async ({ namespace, ...attributes }) => {
      const review = {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectAccessReview',
        spec: { resourceAttributes: { ...attributes, ...(namespace ? { namespace } : {}) } },
      };
      const answer = await create<KubernetesObject>(rest, review);
      return (answer as { status?: { allowed?: boolean } }).status?.allowed === true;
    }),
  );
  return permissions.filter((_, index) => !allowed[index]);
}

/** The answer, or KUBERNETES_REFUSED (KUBERNETES_UNREACHABLE where the server cannot answer now) with its own words. */
function accepted(answer: RestAnswer, what: string): RestAnswer {
  if (answer.status < 300) return answer;
  const busy = answer.status === 429 || answer.status >= 500;
  // A pod that was deleted has no credentials any more, though its process may go on for a while: another worker's are good.
  const gone = answer.status === 401;
  throw problem(busy ? 'KUBERNETES_UNREACHABLE' : 'KUBERNETES_REFUSED', `${what}: ${statusMessage(answer)}`, {
    evidence: [`HTTP ${answer.status}`, reasonOf(answer) ?? ''].filter((fact) => fact !== ''),
    ...(gone
      ? { next: 'The API server does not know who asks: look at the kubeconfig or token of the worker.' }
      : {}),
    // A conflict is solved by reading again, which the next attempt does.
    retryable: busy || gone || answer.status === 409,
  });
}

function parsed<T>(answer: RestAnswer): T {
  return JSON.parse(answer.body) as T;
}

function statusOf(answer: RestAnswer): { kind?: string; reason?: string; message?: string } {
  try {
    return JSON.parse(answer.body) as { kind?: string; reason?: string; message?: string };
  } catch {
    return {};
  }
}

function reasonOf(answer: RestAnswer): string | undefined {
  const status = statusOf(answer);
  return status.kind === 'Status' ? status.reason : undefined;
}

function statusMessage(answer: RestAnswer): string {
  return (statusOf(answer).message ?? answer.body).slice(0, 500);
}

function describe(ref: ObjectRef): string {
  return `${ref.kind} ${ref.namespace ? `${ref.namespace}/` : ''}${ref.name}`;
}
