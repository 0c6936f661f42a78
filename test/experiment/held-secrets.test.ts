import { expect, test } from 'vitest';
import { holdSecret, withoutSecrets } from '../../src/experiment/held-secrets.ts';
import { problemWithoutHosts } from '../../src/experiment/without-hosts.ts';

test('a value that is held is in no text, however it is written', () => {
  const secret = 'canary: "ü" & =';
  const forms = [
    secret,
    JSON.stringify({ password: secret }),
    encodeURIComponent(secret),
    Buffer.from(secret).toString('base64'),
  ];
  for (const form of forms) expect(withoutSecrets(`refused ${form}!`)).toContain(form);
  holdSecret(`${secret}\n`);
  expect(withoutSecrets(`refused ${secret}!`)).toBe('refused <secret>!');
  for (const form of forms) {
    const told = withoutSecrets(`refused ${form}!`);
    expect(told).toContain('<secret>');
    expect(told).not.toContain('canary');
    expect(told).not.toContain('Y2FuYXJ5');
  }
});

test('a line of a private key alone is not told, its first and last line are everybody’s', () => {
  const line = 'Y2FuYXJ5b2ZhcHJpdmF0ZWtleQ==';
  holdSecret(`-----BEGIN PRIVATE KEY-----\n${line}\n-----END PRIVATE KEY-----\n`);
  expect(withoutSecrets(`bad base64: ${line}`)).toBe('bad base64: <secret>');
  expect(withoutSecrets('no -----BEGIN PRIVATE KEY----- found')).toContain('BEGIN');
});

test('what is shorter than six characters is not held: it stands in too many words', () => {
  holdSecret('kafka');
  holdSecret(undefined);
  expect(withoutSecrets('StatefulSet kafka/kafka-kafka')).toBe('StatefulSet kafka/kafka-kafka');
});

test.each([
  ['Authorization: Bearer abc.def-123456', 'Authorization: Bearer <secret>'],
  ['GET https://ann:canary@packages.example.com/x', 'GET https://<secret>@packages.example.com/x'],
  ['token eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ3b3JrZXIifQ.c2ln said', 'token <secret> said'],
])('what looks like a token is not told either: %s', (text, told) => {
  expect(withoutSecrets(text)).toBe(told);
});

test.each([
  'the bearer of this news',
  'https://repository.example.com:8443/v1/index.yaml',
  'docker.io/leaderfall/leaderfall@sha256:0123456789abcdef0123456789abcdef',
  'kafka-0 begins with eyJafjallajökull',
])('%s stays', (text) => {
  expect(withoutSecrets(text)).toBe(text);
});

test('a problem’s message, evidence and next step lose hosts and secrets', () => {
  holdSecret('canary-password');
  const found = problemWithoutHosts(new Error('canary-password at b0.example.com:9092'));
  expect(found.message).toBe('Error: <secret> at <host>');
});
