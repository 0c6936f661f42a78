import type { Socket } from 'node:net';

/** Answers longer than this are not Kafka's. */
const maxAnswerBytes = 64 * 1024 * 1024;

/** What becomes of one request. */
export interface Outcome {
  /** The answer without its length prefix. */
  answered(frame: Buffer): void;
  /** The connection ended before the answer. */
  ended(error: Error): void;
}

/** A held connection to one broker. Its end tells when the broker's process has gone. */
export interface BrokerConnection {
  readonly open: boolean;
  /** Sends a request, made for the correlation id it is given; its outcome comes once, or never after `forget`. Gives the id. */
  send(encode: (correlationId: number) => Buffer, outcome: Outcome): number;
  /** Lets an answer that may still come pass by. */
  forget(correlationId: number): void;
  /** Hands the socket on: it is somebody else's from now on. */
  release(): void;
  close(): void;
}

/** Speaks Kafka's framing over a connected socket. `onEnd` is called once, when the connection has ended for whatever reason. */
export function brokerConnection(socket: Socket, onEnd?: () => void): BrokerConnection {
  const waiting = new Map<number, Outcome>();
  // Pieces of answers that are not whole yet: put together once, however many there are.
  let pieces: Buffer[] = [];
  let size = 0;
  let wanted = 4;
  let nextId = 1;
  let open = true;

  socket.setNoDelay(true);
  const onData = (chunk: Buffer) => {
    pieces.push(chunk);
    size += chunk.length;
    if (size < wanted) return;
    let received = pieces.length === 1 ? chunk : Buffer.concat(pieces);
    while (received.length >= wanted) {
      const length = received.readInt32BE(0);
      if (length < 4 || length > maxAnswerBytes) return end(new Error('the answer is not one of Kafka'));
      wanted = 4 + length;
      if (received.length < wanted) break;
      const frame = received.subarray(4, 4 + length);
      received = received.subarray(wanted);
      wanted = 4;
      const id = frame.readInt32BE(0);
      const outcome = waiting.get(id);
      waiting.delete(id);
      outcome?.answered(frame);
    }
    pieces = received.length > 0 ? [received] : [];
    size = received.length;
  };
  const onClose = () => end(new Error('the connection was closed'));
  socket.on('data', onData);
  socket.on('error', end);
  socket.on('close', onClose);

  function end(error: Error): void {
    if (!open) return;
    open = false;
    socket.destroy();
    for (const { ended } of waiting.values()) ended(error);
    waiting.clear();
    onEnd?.();
  }

  return {
    get open() {
      return open;
    },
    send(encode, outcome) {
      const id = nextId++;
      if (!open) throw new Error('the connection was closed');
      waiting.set(id, outcome);
      socket.write(encode(id));
      return id;
    },
    forget: (id) => void waiting.delete(id),
    release() {
      open = false;
      socket.off('data', onData).off('error', end).off('close', onClose);
    },
    close: () => end(new Error('closed by us')),
  };
}

/** Asks one question on a held connection; gives the answer without its length prefix. Rejects when the connection ends or the time is over. */
export async function askOnce(
  connection: BrokerConnection,
  encode: (correlationId: number) => Buffer,
  timeoutMs: number,
): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const id = connection.send(encode, { answered: resolve, ended: reject });
  const timer = setTimeout(() => {
    connection.forget(id);
    reject(new Error(`no answer in ${timeoutMs} ms`));
  }, timeoutMs);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}
