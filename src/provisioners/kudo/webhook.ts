import type { KubernetesObject, KubernetesPort } from '../../kubernetes/port.ts';
import type { Pod } from '../../kubernetes/workloads.ts';
import { makeCertificate, needsRenewal } from './certificate.ts';
import { kudo, refOf, webhookConfiguration, webhookDnsName, webhookSecret } from './init-objects.ts';

interface SecretObject extends KubernetesObject {
  data?: Record<string, string>;
}

interface WebhookObject extends KubernetesObject {
  webhooks?: { clientConfig?: { caBundle?: string } }[];
}

/**
 * Gives the webhook a certificate where it has none, and a new one near the end of the old. May be cut off at any point: the
 * webhook's authority is changed last, and as long as it is not the secret's, the rest is done again. `make`: also where there is
 * no webhook yet.
 */
export async function ensureWebhook(kubernetes: KubernetesPort, make: boolean): Promise<void> {
  const webhookRef = refOf(webhookConfiguration(''));
  const webhook = await kubernetes.read<WebhookObject>(webhookRef);
  if (!webhook && !make) return;
  // cert-manager renews its own certificates.
  const managed = Object.keys(webhook?.metadata?.annotations ?? {}).some((name) =>
    name.endsWith('/inject-ca-from'),
  );
  if (managed) return;
  const authority = await ensureSecret(kubernetes, webhook !== undefined);
  if (authority === undefined) return;
  const configuration = webhookConfiguration(authority);
  const wanted = Buffer.from(authority).toString('base64');
  if (webhook?.webhooks?.every(({ clientConfig }) => clientConfig?.caBundle === wanted)) return;
  // A running manager keeps serving with the old files in memory.
  for (const pod of await managerPods(kubernetes)) {
    await kubernetes.remove(refOf({ ...pod, apiVersion: 'v1', kind: 'Pod' }), { uid: pod.metadata?.uid });
  }
  if (!webhook) await kubernetes.create(configuration);
  else await kubernetes.mergePatch(webhookRef, { webhooks: configuration.webhooks });
}

/** PEM of the authority of a certificate that lasts; undefined where somebody else's is in use, whose authority is not kept. */
async function ensureSecret(kubernetes: KubernetesPort, inUse: boolean): Promise<string | undefined> {
  const ref = refOf(webhookSecret({ authority: '', certificate: '', key: '' }));
  const secret = await kubernetes.read<SecretObject>(ref);
  const pem = (key: string) => Buffer.from(secret?.data?.[key] ?? '', 'base64').toString();
  if (secret && !needsRenewal(pem('tls.crt'))) {
    if (pem('ca.crt')) return pem('ca.crt');
    if (inUse) return undefined;
  }
  const serving = await makeCertificate(webhookDnsName);
  const fresh = webhookSecret(serving);
  if (!secret) await kubernetes.create(fresh);
  else await kubernetes.mergePatch(ref, { stringData: fresh.stringData });
  return serving.authority;
}

/** The manager's pods, but for those that are going. */
export async function managerPods(kubernetes: KubernetesPort): Promise<Pod[]> {
  const kind = { apiVersion: 'v1', kind: 'Pod', namespace: kudo.namespace };
  const { items } = await kubernetes.list<Pod>(kind, { label: 'app=kudo-manager' });
  return items.filter(({ metadata }) => metadata?.deletionTimestamp === undefined);
}
