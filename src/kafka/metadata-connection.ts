import type { Socket } from 'node:net';
import { decodeMetadataResponse, encodeMetadataRequest, type MetadataVersion } from './metadata-protocol.ts';
import type { ClusterMetadata, Topics } from './port.ts';

/** Answers longer than this are not Kafka's. */
const maxAnswerBytes = 64 * 1024 * 1024;

/** A held connection to one broker on which only Metadata is asked. Its end tells when the broker's process has gone. */
export interface MetadataConnection {
  /** The broker's own answer; rejects when the connection ends or the time is over. */
  ask(topics: Topics, timeoutMs: number): Promise<Omit<ClusterMetadata, 'answeredBy'>>;
  readonly open: boolean;
  close(): void;
}

/** Speaks Metadata over a connected socket. `onEnd` is called once, when the connection has ended for whatever reason. */
export function metadataConnection(
  socket: Socket,
  options: { clientId: string; version?: MetadataVersion; onEnd?: () => void },
): MetadataConnection {
  const version = options.version ?? 7;
  const waiting = new Map<number, { resolve: (answer: Buffer) => void; reject: (error: Error) => void }>();
  let received = Buffer.alloc(0);
  let nextId = 1;
  let open = true;

  socket.setNoDelay(true);
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    while (received.length >= 4) {
      const length = received.readInt32BE(0);
      if (length < 4 || length > maxAnswerBytes) return end(new Error('the answer is not one of Kafka'));
      if (received.length < 4 + length) return;
      const frame = received.subarray(4, 4 + length);
      received = received.subarray(4 + length);
      const id = frame.readInt32BE(0);
      waiting.get(id)?.resolve(frame);
      waiting.delete(id);
    }
  });
  socket.on('error', (error) => end(error));
  socket.on('close', () => end(new Error('the connection was closed')));

  function end(error: Error): void {
    if (!open) return;
    open = false;
    socket.destroy();
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
    options.onEnd?.();
  }

  return {
    get open() {
      return open;
    },
    close: () => end(new Error('closed by us')),
    async ask(topics, timeoutMs) {
      if (!open) throw new Error('the connection was closed');
      const id = nextId++;
      const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
      const timer = setTimeout(() => {
        waiting.delete(id);
        reject(new Error(`no answer in ${timeoutMs} ms`));
      }, timeoutMs);
      waiting.set(id, { resolve, reject });
      socket.write(encodeMetadataRequest(version, id, options.clientId, topics));
      try {
        const frame = await promise;
        return { ...decodeMetadataResponse(version, frame).answer, at: Date.now() };
      } finally {
        clearTimeout(timer);
      }
    },
  };
}
