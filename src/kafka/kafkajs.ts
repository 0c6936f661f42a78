import { Duplex } from 'node:stream';
import kafkajs, { type Kafka, type KafkaConfig, type RetryOptions } from 'kafkajs';
import type { Dial } from './port.ts';

/** kafkajs warns of its default partitioner once a producer; we send to one partition. */
process.env.KAFKAJS_NO_PARTITIONER_WARNING ??= '1';

/** What every kafkajs client of ours is given. kafkajs is not imported outside this room. */
export interface ClientOptions {
  bootstrap: string[];
  clientId: string;
  dial?: Dial;
  retry?: RetryOptions;
  requestTimeoutMs?: number;
  /** Default 2,000. The address of a pod that has gone answers nothing at all, and every retry waits this long for it. */
  connectTimeoutMs?: number;
  /** Said by kafkajs at level warning and above. */
  onWarning?: (message: string) => void;
}

let clients = 0;

/**
 * The brokers in an order of its own for each client. kafkajs begins with the first and, without retries, tries no other: a client
 * made anew because that one hangs would meet it again, for as long as it hangs.
 */
function inTurn(bootstrap: string[]): string[] {
  const first = clients++ % Math.max(1, bootstrap.length);
  return [...bootstrap.slice(first), ...bootstrap.slice(0, first)];
}

/** Makes a kafkajs client that dials as it is told. */
export function kafkaClient(options: ClientOptions): Kafka {
  const { dial } = options;
  const config: KafkaConfig = {
    brokers: inTurn(options.bootstrap),
    clientId: options.clientId,
    connectionTimeout: (options.connectTimeoutMs ?? 2_000) + (dial?.handshakeMs ?? 0),
    requestTimeout: options.requestTimeoutMs ?? 5_000,
    retry: options.retry ?? { initialRetryTime: 100, maxRetryTime: 1_000, retries: 5 },
    logLevel: kafkajs.logLevel.WARN,
    logCreator: () => (entry) => {
      const { message, error } = entry.log as { message: string; error?: string };
      options.onWarning?.(error ? `${message}: ${error}` : message);
    },
    ...(dial ? { socketFactory: socketFactory(dial) } : {}),
  };
  return new kafkajs.Kafka(config);
}

type SocketFactory = NonNullable<KafkaConfig['socketFactory']>;

/** kafkajs wants a socket at once; this one connects when the dial has succeeded and carries what is written meanwhile. */
function socketFactory(dial: Dial): SocketFactory {
  return ({ host, port, onConnect }) => {
    const socket = new LateSocket(dial(host, port), onConnect);
    return socket as unknown as ReturnType<SocketFactory>;
  };
}

/** A Duplex over a socket that is still being opened, with the few methods of a socket that kafkajs calls. */
class LateSocket extends Duplex {
  readonly #opening: ReturnType<Dial>;

  constructor(opening: ReturnType<Dial>, onConnect: () => void) {
    super({ emitClose: true });
    this.#opening = opening;
    opening.then(
      (socket) => {
        if (this.destroyed) return socket.destroy();
        socket.on('data', (chunk: Buffer) => {
          if (!this.push(chunk)) socket.pause();
        });
        socket.on('end', () => this.push(null));
        socket.on('error', (error) => this.destroy(error));
        socket.on('close', () => this.destroy());
        onConnect();
        return undefined;
      },
      (error: Error) => this.destroy(error),
    );
  }

  override _read(): void {
    void this.#opening.then(
      (socket) => socket.resume(),
      () => {},
    );
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#opening.then((socket) => socket.write(chunk, done), done);
  }

  override _final(done: () => void): void {
    this.#opening.then(
      (socket) => socket.end(done),
      () => done(),
    );
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#opening.then(
      (socket) => socket.destroy(),
      () => {},
    );
    done(error);
  }

  setKeepAlive(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setTimeout(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}
