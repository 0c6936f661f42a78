import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Socket } from 'node:net';
import { promisify } from 'node:util';
import type { Security } from '../experiment/connection-security.ts';
import { type LeaderfallError, problem } from '../experiment/errors.ts';
import { type BrokerConnection, brokerConnection } from './broker-connection.ts';
import { reader, writer } from './wire.ts';

type Sasl = NonNullable<Security['sasl']>;

/** SaslHandshake v1 and SaslAuthenticate v0: the oldest by which a refusal is answered (KIP-152, Kafka 1.0). */
const handshake = { key: 17, version: 1 } as const;
const authentication = { key: 36, version: 0 } as const;

const unsupportedMechanism = 33;
const illegalState = 34;

const digests = { 'SCRAM-SHA-256': 'sha256', 'SCRAM-SHA-512': 'sha512' } as const;

/** RFC 7677 asks for no fewer; a server that offers less is after the password. */
const leastIterations = 4_096;

const derived = promisify(pbkdf2);

/**
 * Says who we are over a connected socket, which is ready for any request afterwards. Throws AUTHENTICATION_FAILED, in which neither
 * user nor password is named, or the network's own error.
 */
export async function authenticate(socket: Socket, sasl: Sasl): Promise<void> {
  const connection = brokerConnection(socket);
  const mechanisms = reader(await ask(connection, handshake, (body) => body.string(sasl.mechanism)));
  mechanisms.int32(); // correlation id
  const error = mechanisms.int16();
  if (error !== 0) throw mechanismRefused(sasl, error, mechanisms.array(mechanisms.string));
  const say = async (text: string): Promise<string> => {
    const answer = reader(await ask(connection, authentication, (body) => body.bytes(Buffer.from(text))));
    answer.int32(); // correlation id
    if (answer.int16() !== 0) throw refused();
    answer.nullableString(); // the broker's own words might name the user
    return answer.bytes().toString();
  };
  if (sasl.mechanism === 'PLAIN') await say(`\0${sasl.username}\0${sasl.password}`);
  else await scram(sasl, digests[sasl.mechanism], say);
  connection.release();
}

/** Salted challenge and response, RFC 5802, without channel binding. */
async function scram(
  { username, password }: Sasl,
  digest: string,
  say: (text: string) => Promise<string>,
): Promise<void> {
  const user = username.replaceAll('=', '=3D').replaceAll(',', '=2C');
  const nonce = randomBytes(18).toString('base64');
  const first = `n=${user},r=${nonce}`;
  const challenge = await say(`n,,${first}`);
  const { r: both = '', s: salt = '', i: iterations = '0' } = attributes(challenge);
  if (!both.startsWith(nonce) || both === nonce || Number(iterations) < leastIterations) throw refused();
  const hmac = (key: Buffer, text: string) => createHmac(digest, key).update(text).digest();
  const length = createHash(digest).digest().length;
  const salted = await derived(password, Buffer.from(salt, 'base64'), Number(iterations), length, digest);
  const clientKey = hmac(salted, 'Client Key');
  const stored = createHash(digest).update(clientKey).digest();
  const final = `c=biws,r=${both}`;
  const message = `${first},${challenge},${final}`;
  const signature = hmac(stored, message);
  const proof = clientKey.map((byte, at) => byte ^ (signature[at] ?? 0));
  const answer = await say(`${final},p=${Buffer.from(proof).toString('base64')}`);
  const expected = hmac(hmac(salted, 'Server Key'), message);
  const given = Buffer.from(attributes(answer).v ?? '', 'base64');
  // A server that does not know the password could not have made it.
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) throw refused();
}

function attributes(text: string): Record<string, string> {
  return Object.fromEntries(text.split(',').map((part) => [part.slice(0, 1), part.slice(2)]));
}

function ask(
  connection: BrokerConnection,
  api: { key: number; version: number },
  fill: (body: ReturnType<typeof writer>) => void,
): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const encode = (correlationId: number) => {
    const body = writer();
    body.int16(api.key);
    body.int16(api.version);
    body.int32(correlationId);
    body.string('leaderfall');
    fill(body);
    return body.framed();
  };
  connection.send(encode, { answered: resolve, ended: reject });
  return promise;
}

function mechanismRefused({ mechanism }: Sasl, error: number, offered: string[]): LeaderfallError {
  const what =
    error === unsupportedMechanism
      ? `the brokers offer ${offered.join(', ') || 'no mechanism'}, not ${mechanism}`
      : error === illegalState
        ? 'the listener on this port asks for no authentication'
        : `the brokers refuse mechanism ${mechanism} with error ${error}`;
  return problem('AUTHENTICATION_FAILED', what, {
    evidence: [error === illegalState ? 'cluster.sasl' : 'cluster.sasl.mechanism', 'cluster.port'],
    next: 'Correct cluster.sasl.mechanism, or cluster.port: each listener has mechanisms of its own.',
  });
}

function refused(): LeaderfallError {
  return problem('AUTHENTICATION_FAILED', 'the brokers refuse the user or the password', {
    evidence: ['cluster.sasl.secret'],
    next: 'Correct what the Secret holds; without its key for the user name, its own name is the user.',
  });
}
