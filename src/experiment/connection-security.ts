import { z } from 'zod';
import { problem } from './errors.ts';

/** The shape of a Secret's name, and of a key in it. */
const secretName = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'must be the name of a Secret');
const secretKey = z
  .string()
  .max(253)
  .regex(/^[-._a-zA-Z0-9]+$/, 'must be the name of a key in a Secret');

/** Whether an address carries no user and password: it would be in history with them. */
export function holdsNoLogin(address: string): boolean {
  return !/^\w+:\/\/[^/]*@/.test(address);
}

/** What is said of one that does. */
export const loginRefused = 'holds a user or a password, which would be in history';

/** TLS to the brokers. Whoever signed their certificates, and who we are where they ask. */
export const tlsSchema = z
  .strictObject({
    caSecret: secretName
      .optional()
      .describe(
        'Secret with the certificate of whoever signed the brokers’; default: the public authorities.',
      ),
    caKey: secretKey.default('ca.crt').describe('Key in it, PEM.'),
    clientSecret: secretName
      .optional()
      .describe('Secret with a client certificate, for brokers that ask for one.'),
    certificateKey: secretKey.default('user.crt').describe('Key of the client certificate, PEM.'),
    privateKeyKey: secretKey.default('user.key').describe('Key of its private key, PEM.'),
  })
  .describe('TLS to the brokers; `{}` where a public authority signed their certificates.');

/** SASL to the brokers. */
export const saslSchema = z
  .strictObject({
    mechanism: z
      .enum(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'])
      .describe('sasl.mechanism of the listener.'),
    secret: secretName.describe('Secret with the user’s name and password.'),
    usernameKey: secretKey
      .default('username')
      .describe(
        'Key of the user name; without that key the Secret’s own name is the user, as of a KafkaUser.',
      ),
    passwordKey: secretKey.default('password').describe('Key of the password.'),
  })
  .describe(
    'SASL to the brokers. Secrets are named, in the Kafka’s namespace; what they hold is never in a spec.',
  );

/** What an experiment says of the way to the brokers: names of Secrets and keys, no credentials. */
export interface SecurityNames {
  tls?: z.output<typeof tlsSchema> | undefined;
  sasl?: z.output<typeof saslSchema> | undefined;
}

/** One credential, and where it is kept. */
export interface CredentialSource {
  /** What it is called where it is mounted. */
  file: 'ca.crt' | 'user.crt' | 'user.key' | 'username' | 'password';
  secret: string;
  key: string;
  /** The fields of the experiment that name them. */
  secretField: string;
  keyField: string;
  optional?: boolean;
}

/** The credentials themselves, for one process's memory. PEM and plain text. */
export interface Security {
  tls?: { ca?: string; cert?: string; key?: string };
  sasl?: { mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512'; username: string; password: string };
}

/** Every credential that an experiment names, once; empty where it names none. */
export function credentialSources({ tls, sasl }: SecurityNames): CredentialSource[] {
  const sources: CredentialSource[] = [];
  if (tls?.caSecret) {
    sources.push({
      file: 'ca.crt',
      secret: tls.caSecret,
      key: tls.caKey,
      secretField: 'cluster.tls.caSecret',
      keyField: 'cluster.tls.caKey',
    });
  }
  if (tls?.clientSecret) {
    const from = { secret: tls.clientSecret, secretField: 'cluster.tls.clientSecret' };
    const { certificateKey, privateKeyKey } = tls;
    sources.push({ ...from, file: 'user.crt', key: certificateKey, keyField: 'cluster.tls.certificateKey' });
    sources.push({ ...from, file: 'user.key', key: privateKeyKey, keyField: 'cluster.tls.privateKeyKey' });
  }
  if (sasl) {
    const from = { secret: sasl.secret, secretField: 'cluster.sasl.secret' };
    const { usernameKey, passwordKey } = sasl;
    const username = { file: 'username', key: usernameKey, keyField: 'cluster.sasl.usernameKey' } as const;
    sources.push({ ...from, ...username, optional: true });
    sources.push({ ...from, file: 'password', key: passwordKey, keyField: 'cluster.sasl.passwordKey' });
  }
  return sources;
}

/**
 * The security of a connection, undefined where it is plain TCP. Throws CREDENTIALS_MISSING, with the field, where `read` has not what
 * is named.
 */
export function securityOf(
  names: SecurityNames,
  read: (source: CredentialSource) => string | undefined,
): Security | undefined {
  const { tls, sasl } = names;
  if (!tls && !sasl) return undefined;
  const found = new Map<CredentialSource['file'], string>();
  for (const source of credentialSources(names)) {
    const value = read(source);
    if (value) found.set(source.file, value);
    else if (!source.optional) throw missing(source);
  }
  const ca = found.get('ca.crt');
  const cert = found.get('user.crt');
  const key = found.get('user.key');
  return {
    ...(tls ? { tls: { ...(ca ? { ca } : {}), ...(cert && key ? { cert, key } : {}) } } : {}),
    ...(sasl
      ? {
          sasl: {
            mechanism: sasl.mechanism,
            username: found.get('username') ?? sasl.secret,
            password: found.get('password') ?? '',
          },
        }
      : {}),
  };
}

function missing({ secret, key, keyField }: CredentialSource) {
  return problem('CREDENTIALS_MISSING', `Secret ${secret} has no key ${key}`, {
    evidence: [keyField],
    next: `Add the key, or name the one that is there in ${keyField}.`,
  });
}
