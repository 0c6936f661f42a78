import { expect, test } from 'vitest';
import { makeResolve } from '../../src/activities/resolve.ts';
import { withoutSecrets } from '../../src/experiment/held-secrets.ts';
import type { Dial } from '../../src/kafka/port.ts';
import { attempt, fakeKafka, refusal, type Scene, scene } from './step-support.ts';

const canary = 'canary-of-a-password';
const cluster = {
  namespace: 'kafka',
  tls: { caSecret: 'ca' },
  sasl: { mechanism: 'SCRAM-SHA-512', secret: 'chaos' },
};

/** A scene with these Secrets, and the dial that the Kafka port was given. */
async function secured(secrets: Record<string, Record<string, string>>): Promise<Scene & { dials: Dial[] }> {
  const at = await scene(fakeKafka());
  for (const [name, data] of Object.entries(secrets)) {
    const encoded = Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]);
    const metadata = { name, namespace: 'kafka' };
    await at.kubernetes.create({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata,
      data: Object.fromEntries(encoded),
    });
  }
  at.kubernetes.writes.length = 0;
  const dials: Dial[] = [];
  at.deps.connectKafka = ({ dial }) => {
    if (dial) dials.push(dial);
    return at.kafka;
  };
  return { ...at, dials };
}

function resolve(at: Scene, changes: object = {}) {
  return attempt<unknown, unknown>(makeResolve(at.deps), {
    cluster: { ...cluster, ...changes },
    reach: 'direct',
  });
}

const both = { ca: { 'ca.crt': 'pem' }, chaos: { username: 'chaos', password: canary } };

test('the Kafka is reached by secured connections, and the step gives none of the credentials away', async () => {
  const at = await secured(both);
  const resolved = await resolve(at);
  expect(at.dials).toHaveLength(1);
  expect(at.dials[0]?.handshakeMs).toBeGreaterThan(0);
  expect(JSON.stringify(resolved)).toContain('"secret":"chaos"');
  expect(JSON.stringify(resolved)).not.toContain(canary);
});

test('no text shows the key and the password that were read', async () => {
  const me = { 'user.crt': 'cert', 'user.key': 'canary-of-a-key' };
  const at = await secured({ ...both, chaos: { password: 'canary-of-another-password' }, me });
  await resolve(at, { tls: { caSecret: 'ca', clientSecret: 'me' } });
  expect(withoutSecrets('canary-of-a-key, canary-of-another-password')).toBe('<secret>, <secret>');
});

test('a Kafka without them is dialled as before', async () => {
  const at = await secured(both);
  await resolve(at, { tls: undefined, sasl: undefined });
  expect(at.dials[0]?.handshakeMs).toBeUndefined();
});

test.each([
  ['a Secret that is not there', { ca: both.ca }, {}, 'cluster.sasl.secret'],
  ['an authority’s Secret that is not there', { chaos: both.chaos }, {}, 'cluster.tls.caSecret'],
  ['a key that is not there', { ca: { other: canary }, chaos: both.chaos }, {}, 'cluster.tls.caKey'],
  [
    'an empty password',
    { ...both, chaos: { username: 'chaos', password: '' } },
    {},
    'cluster.sasl.passwordKey',
  ],
  [
    'a client certificate without its key',
    { ...both, me: { 'user.crt': canary } },
    { tls: { clientSecret: 'me' } },
    'cluster.tls.privateKeyKey',
  ],
])('%s is an error with its field, before anything is touched', async (_, secrets, changes, field) => {
  const at = await secured(secrets as unknown as Record<string, Record<string, string>>);
  const found = await refusal(resolve(at, changes));
  expect(found).toMatchObject({ code: 'CREDENTIALS_MISSING', evidence: [field], retried: false });
  expect(JSON.stringify(found)).not.toContain(canary);
  expect(at.kubernetes.writes).toEqual([]);
});

test('the right to read just those Secrets is asked for by their names', async () => {
  const at = await secured(both);
  at.kubernetes.denied.add('get secrets');
  expect(await refusal(resolve(at))).toMatchObject({
    code: 'PERMISSION_MISSING',
    evidence: ['get secrets ca in namespace kafka', 'get secrets chaos in namespace kafka'],
  });
});

test('a password in a spec is refused, and not repeated', async () => {
  const found = await refusal(resolve(await secured(both), { sasl: { ...cluster.sasl, password: canary } }));
  expect(found).toMatchObject({ code: 'INPUT_INVALID' });
  expect(found.message).toMatch(/cluster\.sasl\.password: unknown field; nearest is "passwordKey"/);
  expect(JSON.stringify(found)).not.toContain(canary);
});
