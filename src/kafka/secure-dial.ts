import { isIP, type Socket } from 'node:net';
import { connect } from 'node:tls';
import type { Security } from '../experiment/connection-security.ts';
import { type LeaderfallError, problem } from '../experiment/errors.ts';
import type { Dial } from './port.ts';
import { authenticate } from './sasl.ts';

/** A broker whose JVM has just come up takes a second for its first handshakes. ms */
const handshakeMs = 3_000;

/** What Node says of a certificate, and OpenSSL of a peer, that no retry mends. */
const certificateError =
  /^(CERT_|ERR_TLS_|ERR_SSL_|ERR_OSSL_|EPROTO|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|HOSTNAME_)/;

/**
 * Dials as before and then does TLS and SASL, so that every client of ours, kafkajs too, is given connections that are ready for
 * requests. `connectMs` bounds the dialling itself. Throws TLS_FAILED or AUTHENTICATION_FAILED, which no retry mends, or the network's own error.
 */
export function secureDial(dial: Dial, { tls, sasl }: Security, connectMs = 2_000): Dial {
  const secured = async (host: string, port: number, giveUp?: AbortSignal): Promise<Socket> => {
    const reached = AbortSignal.timeout(connectMs);
    const plain = await dial(host, port, giveUp ? AbortSignal.any([giveUp, reached]) : reached);
    const end = () => plain.destroy(new Error('the attempt was given up'));
    const late = () => plain.destroy(new Error(`no handshake in ${handshakeMs} ms`));
    const timer = setTimeout(late, handshakeMs);
    giveUp?.addEventListener('abort', end);
    try {
      const socket = tls ? await startTls(plain, host, tls) : plain;
      if (sasl) await authenticate(socket, sasl);
      return socket;
    } catch (error) {
      plain.destroy();
      throw error;
    } finally {
      clearTimeout(timer);
      giveUp?.removeEventListener('abort', end);
    }
  };
  return Object.assign(secured, { handshakeMs });
}

/** TLS over a connected socket. The certificate must be the broker's by the name that it advertises. */
async function startTls(
  plain: Socket,
  host: string,
  { ca, cert, key }: NonNullable<Security['tls']>,
): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  try {
    // An address is no server name in TLS (RFC 6066), but the certificate is held against it all the same.
    const name = isIP(host) ? {} : { servername: host };
    const socket = connect({ socket: plain, host, ...name, ca, cert, key });
    socket.once('secureConnect', resolve);
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('the broker ended the connection in the TLS handshake')));
    await promise;
    socket.off('error', reject);
    return socket;
  } catch (error) {
    throw tlsRefusal(error) ?? error;
  }
}

function tlsRefusal(error: unknown): LeaderfallError | undefined {
  const { code = '' } = error as NodeJS.ErrnoException;
  if (!certificateError.test(code)) return undefined;
  const known = reasons.find(([pattern]) => pattern.test(code));
  const [, message, field] = known ?? [
    undefined,
    'the brokers’ listener and TLS do not agree',
    'cluster.tls',
  ];
  return problem('TLS_FAILED', message, {
    evidence: [field, code],
    next: 'Correct the Secrets that cluster.tls names, or cluster.port: each listener has security of its own.',
    cause: error,
  });
}

const reasons = [
  [
    /^ERR_TLS_CERT_ALTNAME_INVALID|^HOSTNAME_/,
    'the broker’s certificate is not for the name it advertises',
    'cluster.tls',
  ],
  [/^CERT_HAS_EXPIRED|^CERT_NOT_YET_VALID/, 'the broker’s certificate is out of its time', 'cluster.tls'],
  [
    /^UNABLE_TO_|^SELF_SIGNED_|^DEPTH_ZERO_|^CERT_/,
    'the broker’s certificate is not signed by whom cluster.tls trusts',
    'cluster.tls.caSecret',
  ],
  [/^ERR_OSSL_/, 'a certificate or key in the Secrets of cluster.tls cannot be read', 'cluster.tls'],
  [
    /WRONG_VERSION_NUMBER|PACKET_LENGTH|^EPROTO$/,
    'the listener on this port does not speak TLS',
    'cluster.port',
  ],
  [
    /ALERT|CERTIFICATE_REQUIRED/,
    'the brokers refuse the client certificate, or ask for one',
    'cluster.tls.clientSecret',
  ],
] as const;
