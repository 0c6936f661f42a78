import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, rmSync, statSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testbedHome } from '../support/testbed-home.ts';

const home = await testbedHome('certificates');
const { keyPair, kubeconfig, makeCertificates } = await import('../../testbed/certificates.ts');
const { network, state } = await import('../../testbed/paths.ts');

beforeAll(makeCertificates);
afterAll(() => rmSync(home, { recursive: true }));

function certificate(name: string): X509Certificate {
  return new X509Certificate(readFileSync(keyPair(name).certificate));
}

describe('certificates of the cluster', () => {
  it('let each component in as the user and group it needs', () => {
    expect(certificate('admin').subject).toContain('O=system:masters');
    expect(certificate('kube-scheduler').subject).toBe('CN=system:kube-scheduler');
    expect(certificate('node-2').subject.split('\n').sort()).toEqual([
      'CN=system:node:node-2',
      'O=system:nodes',
    ]);
  });

  it('name the API server by every address that clients use', () => {
    const serving = certificate('apiserver');
    for (const address of [network.host, '127.0.0.1', '10.203.0.1'])
      expect(serving.checkIP(address)).toBe(address);
    expect(serving.checkHost('kubernetes.default.svc')).toBe('kubernetes.default.svc');
  });

  it('convince both sides of a TLS connection', async () => {
    const ca = readFileSync(state('pki', 'ca.crt'));
    const of = (name: string) => ({
      ca,
      cert: readFileSync(keyPair(name).certificate),
      key: readFileSync(keyPair(name).key),
    });
    const server = createServer(
      { ...of('apiserver'), requestCert: true, rejectUnauthorized: true },
      (socket) => {
        socket.end(String(socket.getPeerCertificate().subject.CN));
      },
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const client = connect({ ...of('node-1'), host: '127.0.0.1', port });
    const [greeting] = await once(client, 'data');
    expect(String(greeting)).toBe('system:node:node-1');
    client.destroy();
    server.close();
  });

  it('stay as they are when made again', async () => {
    const before = certificate('admin').fingerprint256;
    await makeCertificates();
    expect(certificate('admin').fingerprint256).toBe(before);
  });

  it('come in a kubeconfig that only its owner may read', () => {
    const path = kubeconfig('admin');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const config = JSON.parse(readFileSync(path, 'utf8'));
    expect(config.clusters[0].cluster.server).toBe(network.apiServer);
    const client = Buffer.from(config.users[0].user['client-certificate-data'], 'base64');
    expect(new X509Certificate(client).fingerprint256).toBe(certificate('admin').fingerprint256);
  });
});
