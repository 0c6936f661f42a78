import { X509Certificate } from 'node:crypto';
import { expect, test, vi } from 'vitest';
import { problem } from '../../src/experiment/errors.ts';
import { experimentSchema, type ResolvedExperiment } from '../../src/experiment/spec.ts';
import type { KubernetesObject } from '../../src/kubernetes/port.ts';
import { makeCertificate } from '../../src/provisioners/kudo/certificate.ts';
import { ensureKudo, lookForKudo } from '../../src/provisioners/kudo/init.ts';
import {
  definitions,
  managerObjects,
  prerequisites,
  webhookConfiguration,
  webhookDnsName,
  webhookSecret,
} from '../../src/provisioners/kudo/init-objects.ts';
import { kudoProvisioner } from '../../src/provisioners/kudo/kudo.ts';
import { type FakeKubernetes, fakeKubernetes } from '../support/fake-kubernetes.ts';
import { ended } from './kudo-support.ts';

vi.mock(import('../../src/kubernetes/wait.ts'), async (original) => ({
  ...(await original()),
  pause: async () => {},
}));

const day = 86_400_000;
const experiment = experimentSchema.parse({ cluster: { namespace: 'kafka' } }) as ResolvedExperiment;
const [secret, webhook, manager, pod] = [
  'Secret kudo-system/kudo-webhook-server-secret',
  'MutatingWebhookConfiguration kudo-manager-instance-admission-webhook-config',
  'StatefulSet kudo-system/kudo-controller-manager',
  'Pod kudo-system/kudo-controller-manager-0',
];

/** A cluster whose API server writes a secret's text as data, as a real one does. */
function cluster(): FakeKubernetes {
  const kubernetes = fakeKubernetes();
  const { read } = kubernetes;
  kubernetes.read = async <T extends KubernetesObject>(ref: Parameters<typeof read>[0]) => {
    const found = await read<T>(ref);
    if (ref.kind !== 'Secret' || !found) return found;
    const texts = Object.entries((found.stringData ?? {}) as Record<string, string>);
    return { ...found, data: Object.fromEntries(texts.map(([key, text]) => [key, base64(text)])) };
  };
  return kubernetes;
}

const base64 = (text: string) => Buffer.from(text).toString('base64');

/** The StatefulSet's controller: where there is no manager pod, there is one soon. */
async function startManager(kubernetes: FakeKubernetes): Promise<void> {
  if (kubernetes.objects.has(pod)) return;
  await kubernetes.create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'kudo-controller-manager-0',
      namespace: 'kudo-system',
      labels: { app: 'kudo-manager' },
    },
    status: { conditions: [{ type: 'Ready', status: 'True' }] },
  });
  kubernetes.writes.pop();
}

async function ensure(kubernetes: FakeKubernetes): Promise<string[]> {
  return (await ensured(kubernetes)).notes;
}

async function ensured(
  kubernetes: FakeKubernetes,
  progress = () => void startManager(kubernetes),
  deadline = Number.POSITIVE_INFINITY,
) {
  const signal = new AbortController().signal;
  const run = { temporalNamespace: 'default', workflowId: 'w', runId: 'r' };
  const context = { kubernetes, experiment, run, expires: 0, signal, progress, standing: ended };
  return await ensureKudo({ ...context, deadline });
}

/** A KUDO that runs, with a certificate that was made that many days ago. */
async function installed(daysAgo: number): Promise<FakeKubernetes> {
  const kubernetes = cluster();
  const serving = await makeCertificate(webhookDnsName, Date.now() - daysAgo * day);
  const { service, manager } = managerObjects('kudobuilder/controller:v0.19.0');
  const objects = [...definitions(), ...prerequisites(), service, manager];
  const certified = [webhookSecret(serving), webhookConfiguration(serving.authority)];
  for (const object of [...objects, ...certified]) await kubernetes.create(object);
  await startManager(kubernetes);
  kubernetes.writes.length = 0;
  return kubernetes;
}

/** The secret's certificate lasts, and the API server trusts it. */
function expectTrusted(kubernetes: FakeKubernetes): void {
  const texts = kubernetes.objects.get(secret)?.stringData as Record<string, string>;
  const hooks = kubernetes.objects.get(webhook)?.webhooks as { clientConfig: { caBundle: string } }[];
  const certificate = new X509Certificate(texts['tls.crt'] ?? '');
  const authority = new X509Certificate(Buffer.from(hooks[0]?.clientConfig.caBundle ?? '', 'base64'));
  expect(certificate.verify(authority.publicKey)).toBe(true);
  expect(Date.parse(certificate.validTo) - Date.now()).toBeGreaterThan(365 * day);
}

test('makes what is missing, the manager last, and nothing the next time', async () => {
  const kubernetes = cluster();
  expect(await ensure(kubernetes)).toEqual([]);
  expect(kubernetes.writes).toEqual([
    'create CustomResourceDefinition operators.kudo.dev',
    'create CustomResourceDefinition operatorversions.kudo.dev',
    'create CustomResourceDefinition instances.kudo.dev',
    'create Namespace kudo-system',
    'create ServiceAccount kudo-system/kudo-manager',
    'create ClusterRoleBinding kudo-manager-rolebinding',
    `create ${secret}`,
    `create ${webhook}`,
    'create Service kudo-system/kudo-controller-manager-service',
    `create ${manager}`,
  ]);
  expectTrusted(kubernetes);
  kubernetes.writes.length = 0;
  expect(await ensured(kubernetes)).toEqual({ notes: [], managerImage: 'kudobuilder/controller:v0.19.0' });
  expect(kubernetes.writes).toEqual([]);
});

test('a manager that does not come up is waited for no longer than the whole provisioning may last', async () => {
  await expect(ensured(cluster(), () => {}, Date.now() - 1)).rejects.toMatchObject({
    problem: { code: 'POD_WAITING', message: 'the KUDO manager did not become ready' },
  });
});

test('a certificate near its end is renewed, and the manager restarted to serve with the new one', async () => {
  const kubernetes = await installed(720);
  const before = kubernetes.objects.get(pod)?.metadata?.uid;
  expect(await ensure(kubernetes)).toEqual([]);
  expect(kubernetes.writes).toEqual([`patch ${secret}`, `delete ${pod}`, `patch ${webhook}`]);
  expectTrusted(kubernetes);
  expect(kubernetes.objects.get(pod)?.metadata?.uid).not.toBe(before);
});

const away = problem('KUBERNETES_UNREACHABLE', 'cut off', { retryable: true });

test.each<[string, (kubernetes: FakeKubernetes) => void]>([
  [
    'manager’s restart',
    (kubernetes) => {
      kubernetes.remove = async () => {
        throw away;
      };
    },
  ],
  [
    'webhook’s change',
    (kubernetes) => {
      const { mergePatch } = kubernetes;
      kubernetes.mergePatch = async (ref, patch) => {
        if (ref.kind !== 'Secret') throw away;
        return await mergePatch(ref, patch);
      };
    },
  ],
])('a renewal that was cut off before the %s is gone on with', async (_, cut) => {
  const kubernetes = await installed(720);
  const { remove, mergePatch } = kubernetes;
  cut(kubernetes);
  await expect(ensure(kubernetes)).rejects.toThrow('cut off');
  Object.assign(kubernetes, { remove, mergePatch });
  kubernetes.writes.length = 0;
  await ensure(kubernetes);
  expect(kubernetes.writes.at(-1)).toBe(`patch ${webhook}`);
  expect(kubernetes.writes).not.toContain(`patch ${secret}`);
  expectTrusted(kubernetes);
});

interface ManagerPod {
  serviceAccountName: string;
  containers: { env: { name: string; value: string }[] }[];
}

function managerPod(kubernetes: FakeKubernetes): ManagerPod {
  const found = kubernetes.objects.get(manager) as { spec: { template: { spec: ManagerPod } } } | undefined;
  if (!found) throw new Error('no manager is there');
  return found.spec.template.spec;
}

const parts = [
  'CustomResourceDefinition instances.kudo.dev',
  'ServiceAccount kudo-system/kudo-manager',
  'ClusterRoleBinding kudo-manager-rolebinding',
  'Service kudo-system/kudo-controller-manager-service',
];

test('of a KUDO that is there in part, the rest is made', async () => {
  const kubernetes = await installed(1);
  for (const key of [...parts, webhook]) kubernetes.objects.delete(key);
  expect(await ensure(kubernetes)).toEqual([]);
  expect(kubernetes.writes).toEqual([
    ...parts.map((key) => `create ${key}`),
    `delete ${pod}`,
    `create ${webhook}`,
  ]);
  expectTrusted(kubernetes);
});

test('a manager with an account of its own is given no further rights', async () => {
  const kubernetes = await installed(1);
  managerPod(kubernetes).serviceAccountName = 'narrow';
  for (const key of parts.slice(1, 3)) kubernetes.objects.delete(key);
  await ensure(kubernetes);
  expect(kubernetes.writes).toEqual([]);
});

test('a manager that may do without the webhook is given none, which nobody would serve', async () => {
  const kubernetes = await installed(1);
  managerPod(kubernetes).containers[0]?.env.push({ name: 'ENABLE_WEBHOOKS', value: 'false' });
  for (const key of [webhook, secret]) kubernetes.objects.delete(key);
  expect(await ensure(kubernetes)).toEqual([]);
  expect(kubernetes.writes).toEqual([]);
});

test('a manager that is on its way out does not count as ready', async () => {
  const kubernetes = await installed(1);
  const found = kubernetes.objects.get(pod);
  const metadata = { ...found?.metadata, name: 'old', deletionTimestamp: '2026-01-01T00:00:00Z' };
  kubernetes.objects.delete(pod);
  kubernetes.objects.set('Pod kudo-system/old', { ...found, metadata });
  await ensure(kubernetes);
  expect(kubernetes.objects.has(pod)).toBe(true);
});

test('a certificate of somebody else’s making is left alone while it lasts', async () => {
  const byClient = await installed(1);
  const texts = byClient.objects.get(secret)?.stringData as Record<string, string>;
  delete texts['ca.crt'];
  await ensure(byClient);
  expect(byClient.writes).toEqual([]);
  const byCertManager = await installed(720);
  const metadata = byCertManager.objects.get(webhook)?.metadata;
  if (metadata) metadata.annotations = { 'cert-manager.io/inject-ca-from': 'kudo-system/kudo' };
  await ensure(byCertManager);
  expect(byCertManager.writes).toEqual([]);
});

/** Rights that end at the Kafka's namespace: everything in kudo-system is refused. */
function confined(kubernetes: FakeKubernetes, what: 'all' | 'secrets'): FakeKubernetes {
  const { read, list } = kubernetes;
  const refused = problem('KUBERNETES_REFUSED', 'forbidden');
  kubernetes.read = async (ref) => {
    const hidden = ref.namespace === 'kudo-system' || ref.kind === 'MutatingWebhookConfiguration';
    if (hidden && (what === 'all' || ref.kind !== 'StatefulSet')) throw refused;
    return await read(ref);
  };
  kubernetes.list = async (kind, selector) => {
    if (kind.namespace === 'kudo-system' && what === 'all') throw refused;
    return await list(kind, selector);
  };
  return kubernetes;
}

const needsInit = async (kubernetes: FakeKubernetes) =>
  (await kudoProvisioner.permissions({ kubernetes, experiment })).some(({ verb }) => verb === 'bind');

test('rights that do not reach KUDO’s namespace use a KUDO that is there, and say so', async () => {
  const hidden = confined(await installed(720), 'all');
  expect(await needsInit(hidden)).toBe(false);
  expect(await ensure(hidden)).toEqual([expect.stringContaining('do not reach into namespace kudo-system')]);
  const noSecrets = confined(await installed(720), 'secrets');
  expect(await ensure(noSecrets)).toEqual([
    expect.stringContaining('to make what is missing'),
    expect.stringContaining('renew the certificate'),
  ]);
  expect([...hidden.writes, ...noSecrets.writes]).toEqual([]);
});

test('where KUDO’s resources are not served, the rights to make it are needed, looked at or not', async () => {
  const kubernetes = cluster();
  expect(await needsInit(kubernetes)).toBe(true);
  kubernetes.list = async () => ({ items: [], resourceVersion: '' });
  expect(await needsInit(confined(kubernetes, 'all'))).toBe(true);
});

test('an API server that is away says nothing about KUDO', async () => {
  const kubernetes = cluster();
  kubernetes.read = async () => {
    throw problem('KUBERNETES_UNREACHABLE', 'no answer', { retryable: true });
  };
  await expect(lookForKudo(kubernetes, 'kafka')).rejects.toThrow('no answer');
});
