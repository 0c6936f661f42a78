import { problem, problemOf } from '../../experiment/errors.ts';
import type { KubernetesObject, KubernetesPort, Permission } from '../../kubernetes/port.ts';
import { pause } from '../../kubernetes/wait.ts';
import { isReady, waitingReasons } from '../../kubernetes/workloads.ts';
import type { Provisioning } from '../provisioner.ts';
import { definitions, kudo, managerObjects, prerequisites, refOf } from './init-objects.ts';
import { ensureWebhook, managerPods } from './webhook.ts';

const managerRef = {
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  name: kudo.manager,
  namespace: kudo.namespace,
};

/** The manager's StatefulSet, as far as it tells what it relies on. */
interface Manager extends KubernetesObject {
  spec?: {
    template?: {
      spec?: {
        serviceAccountName?: string;
        containers?: { image?: string; env?: { name: string }[] }[];
        volumes?: { secret?: { secretName?: string } }[];
      };
    };
  };
}

/** Rights that making KUDO itself needs; none where it is installed. */
export function initPermissions(): Permission[] {
  const make = (group: string, resource: string, verbs: string[], namespace?: string): Permission[] =>
    verbs.map((verb) => ({ verb, group, resource, ...(namespace ? { namespace } : {}) }));
  return [
    ...make('apiextensions.k8s.io', 'customresourcedefinitions', ['get', 'create']),
    ...make('', 'namespaces', ['get', 'create']),
    ...make('rbac.authorization.k8s.io', 'clusterrolebindings', ['get', 'create']),
    // Without it the API refuses to bind the manager to more rights than the worker has itself.
    { verb: 'bind', group: 'rbac.authorization.k8s.io', resource: 'clusterroles', name: kudo.clusterRole },
    ...make('admissionregistration.k8s.io', 'mutatingwebhookconfigurations', ['get', 'create', 'patch']),
    ...make('', 'serviceaccounts', ['get', 'create'], kudo.namespace),
    ...make('', 'secrets', ['get', 'create', 'patch'], kudo.namespace),
    ...make('', 'services', ['get', 'create'], kudo.namespace),
    ...make('apps', 'statefulsets', ['get', 'create'], kudo.namespace),
    ...make('', 'pods', ['list', 'delete'], kudo.namespace),
  ];
}

/**
 * Whether KUDO is there. `hidden`: its resources are served, but these rights do not reach into its namespace, which whoever only
 * uses a KUDO of somebody else's need not be given.
 */
export async function lookForKudo(
  kubernetes: KubernetesPort,
  namespace: string,
): Promise<{ state: 'installed'; manager: Manager } | { state: 'hidden' | 'missing' }> {
  const found = await unlessRefused(async () => ({ manager: await kubernetes.read<Manager>(managerRef) }));
  if (found) return found.manager ? { state: 'installed', manager: found.manager } : { state: 'missing' };
  const instances = { apiVersion: 'kudo.dev/v1beta1', kind: 'Instance', namespace };
  const listed = await unlessRefused(() => kubernetes.list(instances));
  // A list that the server does not serve has no version.
  return { state: listed && listed.resourceVersion === '' ? 'missing' : 'hidden' };
}

/**
 * Makes what `kubectl kudo init` makes, where it is missing; renews the webhook's certificate near its end; waits for the manager.
 * Gives notes on what the worker's rights do not allow.
 */
export async function ensureKudo(context: Provisioning): Promise<{ notes: string[]; managerImage?: string }> {
  const { kubernetes, experiment } = context;
  const found = await lookForKudo(kubernetes, experiment.cluster.namespace);
  if (found.state === 'hidden') {
    const hidden = `KUDO is taken as it is: the worker’s rights do not reach into namespace ${kudo.namespace}`;
    return { notes: [hidden] };
  }
  if (found.state === 'installed') return await lookAfterKudo(context, found.manager);
  for (const object of [...definitions(), ...prerequisites()]) await createIfMissing(kubernetes, object);
  await ensureWebhook(kubernetes, true);
  // The StatefulSet last: where it is, everything else is, so an init that was cut off is gone on with.
  const { service, manager } = managerObjects(experiment.provision.managerImage);
  for (const object of [service, manager]) await createIfMissing(kubernetes, object);
  await managerReady(context);
  return { notes: [], managerImage: experiment.provision.managerImage };
}

/** Whoever may only use a KUDO that is there cannot read its certificate; its renewal is then somebody else's. */
async function lookAfterKudo(
  context: Provisioning,
  manager: Manager,
): Promise<{ notes: string[]; managerImage?: string }> {
  const { kubernetes } = context;
  const notes: string[] = [];
  const unless = async (what: string, work: () => Promise<void>) => {
    const done = await unlessRefused(async () => ({ nothing: await work() }));
    if (!done) notes.push(`the worker’s rights in namespace ${kudo.namespace} do not allow ${what}`);
  };
  const serves = servesWebhook(manager);
  await unless('to make what is missing of KUDO', async () => {
    for (const object of partsOf(manager, serves)) await createIfMissing(kubernetes, object);
  });
  await unless('to renew the certificate of KUDO’s webhook', () => ensureWebhook(kubernetes, serves));
  await unless('to wait for KUDO’s manager', () => managerReady(context));
  const managerImage = manager.spec?.template?.spec?.containers?.[0]?.image;
  return { notes, ...(managerImage ? { managerImage } : {}) };
}

/**
 * Whether a manager is sure to serve the webhook that would be made. Former ones could do without and are told so by a variable;
 * the API server would refuse everybody's Instances for a webhook that nobody serves.
 */
function servesWebhook({ spec }: Manager): boolean {
  const { containers = [], volumes = [] } = spec?.template?.spec ?? {};
  const optional = containers.some(({ env = [] }) => env.some(({ name }) => name === 'ENABLE_WEBHOOKS'));
  return !optional && volumes.some(({ secret }) => secret?.secretName === kudo.secret);
}

/** What a manager that is there cannot work without. One that has been given another service account has its own rights. */
function partsOf(manager: Manager, serves: boolean): KubernetesObject[] {
  const usual = manager.spec?.template?.spec?.serviceAccountName === kudo.serviceAccount;
  return [
    ...definitions(),
    ...(usual ? prerequisites() : []),
    ...(serves ? [managerObjects('').service] : []),
  ];
}

/** Undefined where the API refuses it for good. */
async function unlessRefused<T extends object>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    const { code, retryable } = problemOf(error);
    if (code === 'KUBERNETES_REFUSED' && !retryable) return undefined;
    throw error;
  }
}

async function createIfMissing(kubernetes: KubernetesPort, object: KubernetesObject): Promise<void> {
  if (!(await kubernetes.read(refOf(object)))) await kubernetes.create(object);
}

async function managerReady(context: Provisioning): Promise<void> {
  const { podWaitSeconds } = context.experiment.provision;
  const deadline = Math.min(Date.now() + podWaitSeconds * 1_000, context.deadline);
  for (;;) {
    const pods = await managerPods(context.kubernetes);
    if (pods.some(isReady)) return;
    const reasons = pods.flatMap(waitingReasons);
    context.progress(['waiting for the KUDO manager', ...reasons]);
    if (Date.now() > deadline) {
      throw problem('POD_WAITING', 'the KUDO manager did not become ready', {
        evidence: reasons.length > 0 ? reasons : ['its pod is not ready'],
        next: `kubectl -n ${kudo.namespace} describe pods`,
      });
    }
    await pause(500, context.signal);
  }
}
