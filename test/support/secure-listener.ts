import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificate } from '../../src/provisioners/kudo/certificate.ts';
import { cluster } from './testbed.ts';

/** The Secret by which the testbed's brokers open a listener with TLS and SASL; clients find theirs in it too, as deploy/kustomize/credentials allows. */
export const secureSecret = 'leaderfall-kafka';
export const securePort = 9_095;

const ref = { apiVersion: 'v1', kind: 'Secret', namespace: 'kafka', name: secureSecret };

/** Makes it where it is missing: a user with a random password, and a certificate for every broker's name. */
export async function ensureSecureSecret(): Promise<void> {
  if (await cluster.read(ref)) return;
  const { authority, certificate, key } = await makeCertificate('*.kafka-svc.kafka.svc.cluster.local');
  const storePassword = randomBytes(12).toString('hex');
  await makeSecret(secureSecret, {
    'keystore.p12': keystore(certificate, key, storePassword),
    'keystore.password': Buffer.from(storePassword),
    'ca.crt': Buffer.from(authority),
    username: Buffer.from(`canary-user-${randomBytes(6).toString('hex')}`),
    password: Buffer.from(`canary-password-${randomBytes(6).toString('hex')}`),
  });
}

/** Makes a Secret beside the Kafka, or finds one of that name. */
export async function makeSecret(name: string, content: Record<string, Buffer>): Promise<void> {
  const data = Object.fromEntries(
    Object.entries(content).map(([entry, value]) => [entry, value.toString('base64')]),
  );
  await cluster.create({ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: 'kafka' }, data });
}

/** What it holds under a key, as text. */
export async function secureValue(key: string): Promise<string> {
  const found = await cluster.read<{ data?: Record<string, string> }>(ref);
  return Buffer.from(found?.data?.[key] ?? '', 'base64').toString();
}

/** Brokers of that age read PKCS #12 and no PEM. */
function keystore(certificate: string, key: string, password: string): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'leaderfall-keystore-'));
  const file = (name: string) => join(folder, name);
  writeFileSync(file('tls.crt'), certificate);
  writeFileSync(file('tls.key'), key);
  const made = ['-export', '-in', file('tls.crt'), '-inkey', file('tls.key'), '-out', file('keystore.p12')];
  execFileSync('openssl', ['pkcs12', ...made, '-passout', `pass:${password}`]);
  return readFileSync(file('keystore.p12'));
}
