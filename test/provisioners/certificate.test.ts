import { X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { makeCertificate, needsRenewal } from '../../src/provisioners/kudo/certificate.ts';

const day = 86_400_000;

test('the serving certificate is signed by its authority, for the name, for more than a year', async () => {
  const made = await makeCertificate('svc.kudo-system.svc');
  const certificate = new X509Certificate(made.certificate);
  const authority = new X509Certificate(made.authority);
  expect(certificate.verify(authority.publicKey)).toBe(true);
  expect(certificate.checkHost('svc.kudo-system.svc')).toBe('svc.kudo-system.svc');
  expect(Date.parse(certificate.validTo) - Date.now()).toBeGreaterThan(365 * day);
});

test('it is renewed in its last thirty days, and where it cannot be read', async () => {
  const { certificate } = await makeCertificate('a.b.svc');
  const end = Date.parse(new X509Certificate(certificate).validTo);
  expect(needsRenewal(certificate)).toBe(false);
  expect(needsRenewal(certificate, end - 31 * day)).toBe(false);
  expect(needsRenewal(certificate, end - 29 * day)).toBe(true);
  expect(needsRenewal('nonsense')).toBe(true);
});
