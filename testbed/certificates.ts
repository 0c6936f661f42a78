import 'reflect-metadata';
import { generateKeyPairSync, webcrypto } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import * as x509 from '@peculiar/x509';
import { network, state } from './paths.ts';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const years = 10;

/** A certificate and its key, as files. */
export interface KeyPairFiles {
  certificate: string;
  key: string;
}

interface Authority {
  certificate: x509.X509Certificate;
  keys: webcrypto.CryptoKeyPair;
}

/** Makes every certificate of the cluster, once. */
export async function makeCertificates(): Promise<void> {
  if (existsSync(state('pki', 'ca.crt'))) return;
  mkdirSync(state('pki'), { recursive: true });
  x509.cryptoProvider.set(webcrypto);
  const keys = await generateKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=leaderfall-testbed',
    keys,
    signingAlgorithm: algorithm,
    ...validity(),
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  });
  const authority = { certificate, keys };
  const names = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'localhost'].map((value) => ({
    type: 'dns' as const,
    value,
  }));
  const addresses = [network.host, '127.0.0.1', '10.203.0.1'].map((value) => ({
    type: 'ip' as const,
    value,
  }));
  await issue(authority, 'apiserver', 'CN=kube-apiserver', [...names, ...addresses]);
  await issue(authority, 'admin', 'CN=leaderfall-testbed-admin, O=system:masters');
  await issue(authority, 'apiserver-kubelet', 'CN=kube-apiserver-kubelet, O=system:masters');
  await issue(authority, 'kube-controller-manager', 'CN=system:kube-controller-manager');
  await issue(authority, 'kube-scheduler', 'CN=system:kube-scheduler');
  await issue(authority, 'kube-proxy', 'CN=system:kube-proxy');
  for (const node of ['node-1', 'node-2', 'node-3']) {
    await issue(authority, node, `CN=system:node:${node}, O=system:nodes`);
  }
  const serviceAccounts = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  writeFileSync(state('pki', 'service-accounts.pub'), serviceAccounts.publicKey);
  writeFileSync(state('pki', 'service-accounts.key'), serviceAccounts.privateKey, { mode: 0o600 });
  // Last, because its presence says that all is there.
  writeFileSync(state('pki', 'ca.crt'), certificate.toString('pem'));
}

/** Certificate and key of that name. */
export function keyPair(name: string): KeyPairFiles {
  return { certificate: state('pki', `${name}.crt`), key: state('pki', `${name}.key`) };
}

/** Writes a kubeconfig for the client certificate of that name and gives its path. */
export function kubeconfig(name: string): string {
  const path = state(name === 'admin' ? 'kubeconfig' : `${name}.kubeconfig`);
  const base64 = (file: string) => readFileSync(file).toString('base64');
  const { certificate, key } = keyPair(name);
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'leaderfall-testbed',
    clusters: [
      {
        name: 'leaderfall-testbed',
        cluster: { server: network.apiServer, 'certificate-authority-data': base64(state('pki', 'ca.crt')) },
      },
    ],
    users: [
      { name, user: { 'client-certificate-data': base64(certificate), 'client-key-data': base64(key) } },
    ],
    contexts: [{ name: 'leaderfall-testbed', context: { cluster: 'leaderfall-testbed', user: name } }],
  };
  writeFileSync(path, JSON.stringify(config, undefined, 2), { mode: 0o600 });
  return path;
}

async function issue(
  authority: Authority,
  name: string,
  subject: string,
  alternatives: { type: 'dns' | 'ip'; value: string }[] = [],
): Promise<void> {
  const keys = await generateKeys();
  const certificate = await x509.X509CertificateGenerator.create({
    subject,
    issuer: authority.certificate.subject,
    publicKey: keys.publicKey,
    signingKey: authority.keys.privateKey,
    signingAlgorithm: algorithm,
    ...validity(),
    extensions: [
      new x509.BasicConstraintsExtension(false),
      new x509.ExtendedKeyUsageExtension([
        x509.ExtendedKeyUsage.clientAuth,
        x509.ExtendedKeyUsage.serverAuth,
      ]),
      ...(alternatives.length > 0 ? [new x509.SubjectAlternativeNameExtension(alternatives)] : []),
    ],
  });
  const files = keyPair(name);
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  writeFileSync(files.key, x509.PemConverter.encode(pkcs8, 'PRIVATE KEY'), { mode: 0o600 });
  writeFileSync(files.certificate, certificate.toString('pem'));
}

async function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
}

function validity(): { notBefore: Date; notAfter: Date } {
  const day = 86_400_000;
  return { notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + years * 365 * day) };
}
