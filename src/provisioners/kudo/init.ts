import { problem, problemOf } from '../../experiment/errors.ts';
import type { KubernetesObject, KubernetesPort, ObjectRef, Permission } from '../../kubernetes/port.ts';
import { pause } from '../../kubernetes/wait.ts';
import { isReady, type Pod, waitingReasons } from '../../kubernetes/workloads.ts';
import type { ProvisionContext } from '../provisioner.ts';
import { makeCertificate, needsRenewal } from './certificate.ts';
import {
  definitions,
  kudo,
  managerObjects,
  prerequisites,
  webhookConfiguration,
  webhookDnsName,
  webhookSecret,
} from './init-objects.ts';

interface SecretObject extends KubernetesObject {
  data?: Record<string, string>;
}

/** Rights that making KUDO itself needs; none where it is installed. */
export function initPermissions(): Permission[] {
  const make = (group: string, resource: string, verbs: string[], namespace?: string): Permission[] =>
    verbs.map((verb) => ({ verb, group, resource, ...(namespace ? { namespace } : {}) }));
  return [
    ...make('apiextensions.k8s.io', 'customresourcedefinitions', ['get', 'create']),
    ...make('', 'namespaces', ['get', 'create']),
    ...make('rbac.authorization.k8s.io', 'clusterrolebindings', ['get', 'create']),
    ...make('admissionregistration.k8s.io', 'mutatingwebhookconfigurations', ['get', 'create', 'patch']),
    ...make('', 'serviceaccounts', ['get', 'create'], kudo.namespace),
    ...make('', 'secrets', ['get', 'create', 'patch'], kudo.namespace),
    ...make('', 'services', ['get', 'create'], kudo.namespace),
    ...make('apps', 'statefulsets', ['get', 'create'], kudo.namespace),
    ...make('', 'pods', ['list', 'delete'], kudo.namespace),
  ];
}

/** Whether the KUDO manager is installed. */
export async function isInstalled(kubernetes: KubernetesPort): Promise<boolean> {
  const manager = {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    name: kudo.manager,
    namespace: kudo.namespace,
  };
  return (await kubernetes.read(manager)) !== undefined;
}

/** Makes what `kubectl kudo init` makes, where it is missing; renews the webhook's certificate near its end; waits for the manager. */
export async function ensureKudo(context: ProvisionContext): Promise<void> {
  const { kubernetes, experiment } = context;
  if (await isInstalled(kubernetes)) {
    // Whoever may only use a KUDO that is there cannot read its certificate; its renewal is then somebody else's.
    await ensureCertificate(kubernetes).catch((error: unknown) => {
      if (problemOf(error).code !== 'KUBERNETES_REFUSED') throw error;
    });
  } else {
    for (const object of [...definitions(), ...prerequisites()]) await createIfMissing(kubernetes, object);
    await ensureCertificate(kubernetes);
    // The StatefulSet last: where it is, everything else is, so an init that was cut off is gone on with.
    for (const object of managerObjects(experiment.provision.managerImage)) {
      await createIfMissing(kubernetes, object);
    }
  }
  await managerReady(context);
}

async function createIfMissing(kubernetes: KubernetesPort, object: KubernetesObject): Promise<void> {
  if (!(await kubernetes.read(refOf(object)))) await kubernetes.create(object);
}

async function ensureCertificate(kubernetes: KubernetesPort): Promise<void> {
  const webhookRef = refOf(webhookConfiguration(''));
  const webhook = await kubernetes.read(webhookRef);
  // cert-manager renews its own certificates.
  const managed = Object.keys(webhook?.metadata?.annotations ?? {}).some((name) =>
    name.endsWith('/inject-ca-from'),
  );
  if (managed) return;
  const secretRef = { apiVersion: 'v1', kind: 'Secret', name: kudo.secret, namespace: kudo.namespace };
  const secret = await kubernetes.read<SecretObject>(secretRef);
  const pem = (key: string) => Buffer.from(secret?.data?.[key] ?? '', 'base64').toString();
  if (secret && !needsRenewal(pem('tls.crt'))) {
    if (!webhook && pem('ca.crt')) await kubernetes.create(webhookConfiguration(pem('ca.crt')));
    if (webhook || pem('ca.crt')) return;
  }
  const serving = await makeCertificate(webhookDnsName);
  const fresh = webhookSecret(serving);
  if (!secret) await kubernetes.create(fresh);
  else await kubernetes.mergePatch(secretRef, { stringData: fresh.stringData });
  const configuration = webhookConfiguration(serving.authority);
  if (!webhook) await kubernetes.create(configuration);
  else await kubernetes.mergePatch(webhookRef, { webhooks: configuration.webhooks });
  // A running manager keeps serving with the old files in memory.
  if (secret) await restartManager(kubernetes);
}

async function managerPods(kubernetes: KubernetesPort): Promise<Pod[]> {
  const kind = { apiVersion: 'v1', kind: 'Pod', namespace: kudo.namespace };
  return (await kubernetes.list<Pod>(kind, { label: 'app=kudo-manager' })).items;
}

async function restartManager(kubernetes: KubernetesPort): Promise<void> {
  for (const pod of await managerPods(kubernetes)) {
    await kubernetes.remove({
      apiVersion: 'v1',
      kind: 'Pod',
      name: pod.metadata?.name ?? '',
      namespace: kudo.namespace,
    });
  }
}

async function managerReady(context: ProvisionContext): Promise<void> {
  const deadline = Date.now() + context.experiment.provision.podWaitSeconds * 1_000;
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

function refOf(object: KubernetesObject): ObjectRef {
  const { name = '', namespace } = object.metadata ?? {};
  return {
    apiVersion: object.apiVersion ?? '',
    kind: object.kind ?? '',
    name,
    ...(namespace ? { namespace } : {}),
  };
}
