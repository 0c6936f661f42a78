import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const dayMs = 86_400_000;

/** Longer than the year that a forgotten test cluster lives. */
const validDays = 730;

/** Renewed when less than this is left. */
const renewDays = 30;

/** A serving certificate and the authority that signed it, PEM. The authority's key is thrown away: renewal makes a new one. */
export interface ServingCertificate {
  authority: string;
  certificate: string;
  key: string;
}

/** Makes a serving certificate for a DNS name, valid from a day ago for two years. */
export async function makeCertificate(dnsName: string, now = Date.now()): Promise<ServingCertificate> {
  x509.cryptoProvider.set(webcrypto as unknown as Parameters<typeof x509.cryptoProvider.set>[0]);
  const validity = { notBefore: new Date(now - dayMs), notAfter: new Date(now + validDays * dayMs) };
  const authorityKeys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=leaderfall-kudo-webhook',
    keys: authorityKeys,
    signingAlgorithm: algorithm,
    ...validity,
    extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
  });
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.create({
    subject: `CN=${dnsName.slice(0, 64)}`,
    issuer: authority.subject,
    publicKey: keys.publicKey,
    signingKey: authorityKeys.privateKey,
    signingAlgorithm: algorithm,
    ...validity,
    extensions: [
      new x509.BasicConstraintsExtension(false),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: dnsName }]),
    ],
  });
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return {
    authority: authority.toString('pem'),
    certificate: certificate.toString('pem'),
    key: x509.PemConverter.encode(pkcs8, 'PRIVATE KEY'),
  };
}

/** Whether a certificate (PEM) has run out or will within 30 days, or cannot be read. */
export function needsRenewal(pem: string, now = Date.now()): boolean {
  try {
    return new x509.X509Certificate(pem).notAfter.getTime() - now < renewDays * dayMs;
  } catch {
    return true;
  }
}
