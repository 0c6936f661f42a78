import { X509Certificate } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { makeCertificate } from '../../src/provisioners/kudo/certificate.ts';
import {
  webhookConfiguration,
  webhookDnsName,
  webhookSecret,
} from '../../src/provisioners/kudo/init-objects.ts';
import { ensureKafka } from '../support/kafka.ts';
import { cluster, eventually } from '../support/testbed.ts';

const day = 86_400_000;
const secret = {
  apiVersion: 'v1',
  kind: 'Secret',
  namespace: 'kudo-system',
  name: 'kudo-webhook-server-secret',
};
const webhook = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'MutatingWebhookConfiguration',
  name: 'kudo-manager-instance-admission-webhook-config',
};
const manager = {
  apiVersion: 'v1',
  kind: 'Pod',
  namespace: 'kudo-system',
  name: 'kudo-controller-manager-0',
};
const instance = { apiVersion: 'kudo.dev/v1beta1', kind: 'Instance', namespace: 'kafka', name: 'kafka' };

beforeAll(async () => {
  await ensureKafka();
});

/** The certificate that lies there for the manager to serve with. */
async function certificate(): Promise<X509Certificate> {
  const found = await cluster.read<{ data?: Record<string, string> }>(secret);
  return new X509Certificate(Buffer.from(found?.data?.['tls.crt'] ?? '', 'base64'));
}

/** The authority that the API server trusts. */
async function authority(): Promise<X509Certificate> {
  const found = await cluster.read<{ webhooks?: { clientConfig: { caBundle: string } }[] }>(webhook);
  return new X509Certificate(Buffer.from(found?.webhooks?.[0]?.clientConfig.caBundle ?? '', 'base64'));
}

/** A change of an Instance, which the API server lets through only when the webhook answers with a certificate that it trusts. */
async function changeInstance(): Promise<boolean> {
  const annotations = { 'example.org/looked-at': String(Date.now()) };
  await cluster.mergePatch(instance, { metadata: { annotations } });
  return true;
}

test('a webhook certificate near its end is renewed by provisioning, and the webhook answers with the new one', async () => {
  const old = await makeCertificate(webhookDnsName, Date.now() - 720 * day);
  await cluster.mergePatch(secret, { stringData: webhookSecret(old).stringData });
  await cluster.mergePatch(webhook, { webhooks: webhookConfiguration(old.authority).webhooks });
  await cluster.remove(manager, { gracePeriodSeconds: 0 });
  await eventually('the webhook answers with the old certificate', 60, () =>
    changeInstance().catch(() => false),
  );
  expect(Date.parse((await certificate()).validTo)).toBeLessThan(Date.now() + 30 * day);

  await ensureKafka();
  const renewed = await certificate();
  expect(Date.parse(renewed.validTo)).toBeGreaterThan(Date.now() + 365 * day);
  expect(renewed.verify((await authority()).publicKey)).toBe(true);
  await eventually('the webhook answers with the new certificate', 30, () =>
    changeInstance().catch(() => false),
  );
});
