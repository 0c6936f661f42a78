import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Security } from '../../src/experiment/connection-security.ts';
import { connectKafka } from '../../src/kafka/connect-kafka.ts';
import { kafkaClient } from '../../src/kafka/kafkajs.ts';
import { dialDirect } from '../../src/kafka/reach.ts';
import { secureDial } from '../../src/kafka/secure-dial.ts';
import { makeCertificate, type ServingCertificate } from '../../src/provisioners/kudo/certificate.ts';
import { type LeaderBroker, leaderBroker } from '../support/leader-broker.ts';
import { type ListenerSecurity, type SecureBroker, secureBroker } from '../support/secure-broker.ts';

const password = 'canary, = ünd 密';
const users = { 'na=me,': password };
const user = { username: 'na=me,', password };
let certificate: ServingCertificate;
let elsewhere: ServingCertificate;
let behind: LeaderBroker;
let listener: SecureBroker;

beforeAll(async () => {
  certificate = await makeCertificate('localhost');
  elsewhere = await makeCertificate('elsewhere');
});

async function listening(security: ListenerSecurity): Promise<SecureBroker> {
  behind = await leaderBroker();
  listener = await secureBroker(behind.address, security);
  return listener;
}

afterEach(async () => {
  await listener.close();
  await behind.cut();
});

const serving = () => ({ cert: certificate.certificate, key: certificate.key });
const trusting = () => ({ ca: certificate.authority });

/** Asks the broker behind for its metadata as the worker does. */
async function ask(security: Security) {
  const dial = secureDial(dialDirect, security);
  const kafka = connectKafka({ bootstrap: [listener.address], clientId: 'test', dial });
  try {
    return await kafka.metadata({ topics: ['t'], timeoutMs: 3_000 });
  } finally {
    await kafka.close();
  }
}

const refusal = (security: Security) =>
  ask(security).then(
    () => undefined,
    (error: { problem: object }) => error.problem,
  );

describe.each(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const)('%s', (mechanism) => {
  const sasl = { mechanisms: [mechanism], users };

  test.each(['without', 'with'])('lets us in, %s TLS', async (tls) => {
    const secured = tls === 'with';
    await listening({ sasl, ...(secured ? { tls: serving() } : {}) });
    const found = await ask({ sasl: { mechanism, ...user }, ...(secured ? { tls: trusting() } : {}) });
    expect(found.partitions).toHaveLength(2);
    expect(listener.passed).toBe(1);
  });

  test.each([
    ['password', { username: 'na=me,', password: 'wrong' }],
    ['user', { username: 'nobody', password }],
  ])('a wrong %s is an error with its field, and never an outage', async (_, wrong) => {
    await listening({ sasl });
    const found = await refusal({ sasl: { mechanism, ...wrong } });
    expect(found).toMatchObject({
      code: 'AUTHENTICATION_FAILED',
      retryable: false,
      evidence: ['cluster.sasl.secret'],
    });
    expect(JSON.stringify(found)).not.toMatch(/canary|wrong|na=me|nobody/);
    expect(behind.asked).toBe(0);
  });
});

test.each([
  ['does not know the password itself', { pretends: true }],
  ['asks for so few rounds that the password could be guessed', { iterations: 100 }],
])('a SCRAM listener that %s is not trusted', async (_, odd) => {
  await listening({ sasl: { mechanisms: ['SCRAM-SHA-256'], users, ...odd } });
  expect(await refusal({ sasl: { mechanism: 'SCRAM-SHA-256', ...user } })).toMatchObject({
    code: 'AUTHENTICATION_FAILED',
  });
  expect(behind.asked).toBe(0);
});

test('a mechanism that the listener does not offer is told from those that it does', async () => {
  await listening({ sasl: { mechanisms: ['PLAIN', 'SCRAM-SHA-512'], users } });
  expect(await refusal({ sasl: { mechanism: 'SCRAM-SHA-256', ...user } })).toMatchObject({
    code: 'AUTHENTICATION_FAILED',
    message: expect.stringContaining('PLAIN, SCRAM-SHA-512'),
    evidence: expect.arrayContaining(['cluster.sasl.mechanism']),
  });
});

test('an authority that did not sign the broker’s certificate is named by its field', async () => {
  await listening({ tls: serving() });
  expect(await refusal({ tls: { ca: elsewhere.authority } })).toMatchObject({
    code: 'TLS_FAILED',
    retryable: false,
    evidence: ['cluster.tls.caSecret', expect.any(String)],
  });
  expect(listener.passed).toBe(0);
});

test('a certificate for another name is refused: somebody else could hold it', async () => {
  await listening({ tls: { cert: elsewhere.certificate, key: elsewhere.key } });
  expect(await refusal({ tls: { ca: elsewhere.authority } })).toMatchObject({
    code: 'TLS_FAILED',
    evidence: ['cluster.tls', 'ERR_TLS_CERT_ALTNAME_INVALID'],
  });
});

test('an authority that is no certificate is not taken for a broken broker', async () => {
  await listening({ tls: serving() });
  expect(await refusal({ tls: { ca: 'canary' } })).toMatchObject({ code: 'TLS_FAILED' });
});

test('a client certificate is shown where the brokers ask for one', async () => {
  await listening({ tls: { ...serving(), requestCert: true, rejectUnauthorized: false } });
  await ask({ tls: { ...trusting(), cert: elsewhere.certificate, key: elsewhere.key } });
  await ask({ tls: trusting() });
  expect(listener.clients).toEqual(['elsewhere', '']);
});

test('a listener that hangs up in the handshake is unreachable, and the error says how', async () => {
  await listening({ hangsUp: true });
  expect(await refusal({ tls: trusting() })).toMatchObject({
    code: 'KAFKA_UNREACHABLE',
    retryable: true,
    evidence: [expect.stringContaining('TLS')],
    next: expect.stringContaining('cluster.port'),
  });
});

test('kafkajs is given connections that are ready, and its first request passes', async () => {
  await listening({ tls: serving(), sasl: { mechanisms: ['SCRAM-SHA-512'], users } });
  const dial = secureDial(dialDirect, { tls: trusting(), sasl: { mechanism: 'SCRAM-SHA-512', ...user } });
  const options = { bootstrap: [listener.address], clientId: 't', dial, retry: { retries: 0 } };
  const admin = kafkaClient(options).admin();
  // The broker behind knows no ApiVersions: that it was asked is what counts.
  behind.hold(true);
  const connecting = admin.connect().catch(() => {});
  await expect.poll(() => behind.asked).toBeGreaterThan(0);
  await listener.close();
  await connecting;
});

test('an attempt that is given up in the handshake ends', async () => {
  behind = await leaderBroker();
  behind.hold(true);
  listener = await secureBroker(behind.address, {});
  const giveUp = new AbortController();
  const [host = '', port] = listener.address.split(':');
  const dialling = secureDial(dialDirect, { sasl: { mechanism: 'PLAIN', ...user } })(
    host,
    Number(port),
    giveUp.signal,
  );
  const ended = expect(dialling).rejects.toThrow('given up');
  await expect.poll(() => behind.asked).toBe(1);
  giveUp.abort();
  await ended;
});
