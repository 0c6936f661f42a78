import { createHash, createHmac, pbkdf2Sync, timingSafeEqual } from 'node:crypto';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, TLSSocket, type TlsOptions } from 'node:tls';
import { reader, writer } from '../../src/kafka/wire.ts';

/** Users and passwords that a listener knows, and what else it asks for. */
export interface ListenerSecurity {
  tls?: TlsOptions;
  sasl?: {
    mechanisms: string[];
    users: Record<string, string>;
    /** SCRAM's rounds, 4,096 unless said. */
    iterations?: number;
    /** Lets everybody in, and does not know the password itself. */
    pretends?: boolean;
  };
  /** Ends a connection as soon as it says anything. */
  hangsUp?: boolean;
}

/** A listener before a broker: whoever has passed it speaks to the broker behind. */
export interface SecureBroker {
  address: string;
  /** Connections that passed. */
  readonly passed: number;
  /** Names in the client certificates that were shown. */
  readonly clients: string[];
  close(): Promise<void>;
}

const salt = Buffer.from('not random at all');

/** Starts such a listener on a free port of this machine. */
export async function secureBroker(
  behind: string,
  { tls, sasl, hangsUp }: ListenerSecurity,
): Promise<SecureBroker> {
  const sockets = new Set<Socket>();
  const clients: string[] = [];
  let passed = 0;
  const serve = (socket: Socket) => {
    sockets.add(socket);
    if (socket instanceof TLSSocket) clients.push(String(socket.getPeerCertificate().subject?.CN ?? ''));
    socket.on('error', () => {});
    const through = () => {
      passed++;
      const [host, port] = behind.split(':');
      const broker = connect(Number(port), host);
      broker.on('error', () => socket.destroy());
      broker.pipe(socket).pipe(broker);
    };
    if (hangsUp) socket.once('data', () => socket.end());
    else if (sasl) admit(socket, sasl, through);
    else through();
  };
  const server: Server = tls ? createTlsServer(tls, serve) : createServer(serve);
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `localhost:${(server.address() as { port: number }).port}`,
    clients,
    get passed() {
      return passed;
    },
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** Lets through who says SaslHandshake v1 and SaslAuthenticate v0 as a Kafka 2.5 broker wants them. */
function admit(socket: Socket, sasl: NonNullable<ListenerSecurity['sasl']>, through: () => void): void {
  let received = Buffer.alloc(0);
  let step: ((text: string) => string | undefined) | undefined;
  const onData = (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    if (received.length < 4 || received.length < 4 + received.readInt32BE(0)) return;
    const request = reader(received.subarray(4));
    received = Buffer.alloc(0);
    const key = request.int16();
    request.int16();
    const answer = writer();
    answer.int32(request.int32());
    request.string();
    if (key === 17) {
      const mechanism = request.string();
      const known = sasl.mechanisms.includes(mechanism);
      step = mechanism === 'PLAIN' ? plain(sasl.users) : scram(sasl, mechanism);
      answer.int16(known ? 0 : 33);
      answer.int32(sasl.mechanisms.length);
      for (const name of sasl.mechanisms) answer.string(name);
      socket.write(answer.framed());
      return;
    }
    const said = step?.(request.bytes().toString());
    answer.int16(said === undefined ? 58 : 0);
    answer.string('Authentication failed for this canary-user');
    answer.bytes(Buffer.from(said ?? ''));
    socket.write(answer.framed());
    if (said === undefined) return void socket.end();
    if (said !== '' && !said.startsWith('v=')) return;
    socket.off('data', onData);
    through();
  };
  socket.on('data', onData);
}

/** The text that is answered: '' is a yes. */
function plain(users: Record<string, string>) {
  return (text: string) => {
    const [, user = '', password] = text.split('\0');
    return users[user] === password ? '' : undefined;
  };
}

/** The server's side of RFC 5802, from what it keeps of a password. */
function scram(
  { users, iterations = 4_096, pretends }: NonNullable<ListenerSecurity['sasl']>,
  mechanism: string,
) {
  const digest = mechanism === 'SCRAM-SHA-256' ? 'sha256' : 'sha512';
  const length = digest === 'sha256' ? 32 : 64;
  const hmac = (key: Buffer, text: string) => createHmac(digest, key).update(text).digest();
  let password: string | undefined;
  let sent = '';
  let asked = '';
  return (text: string) => {
    if (sent === '') {
      asked = text.slice('n,,'.length);
      const [, user = '', nonce] = /^n=(.*),r=(.*)$/.exec(asked) ?? [];
      // What is neither of the two escapes may not hold their signs.
      if (!/^([^=,]|=2C|=3D)*$/.test(user)) return undefined;
      password = users[user.replaceAll('=2C', ',').replaceAll('=3D', '=')];
      sent = `r=${nonce}more,s=${salt.toString('base64')},i=${iterations}`;
      return sent;
    }
    const [, without = '', proof = ''] = /^(.*),p=(.*)$/.exec(text) ?? [];
    const salted = pbkdf2Sync(password ?? 'nobody', salt, iterations, length, digest);
    const message = `${asked},${sent},${without}`;
    const stored = createHash(digest).update(hmac(salted, 'Client Key')).digest();
    const signature = hmac(stored, message);
    const key = Buffer.from(Buffer.from(proof, 'base64').map((byte, at) => byte ^ (signature[at] ?? 0)));
    const right = timingSafeEqual(createHash(digest).update(key).digest(), stored);
    if (pretends) return `v=${Buffer.alloc(length).toString('base64')}`;
    return right ? `v=${hmac(hmac(salted, 'Server Key'), message).toString('base64')}` : undefined;
  };
}
