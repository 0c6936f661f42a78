import type { Socket } from 'node:net';
import { brokerConnection } from './broker-connection.ts';
import { decodeMetadataResponse, encodeMetadataRequest, type MetadataVersion } from './metadata-protocol.ts';
import type { ClusterMetadata, Topics } from './port.ts';

/** A held connection to one broker on which only Metadata is asked. */
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
  const connection = brokerConnection(socket, options.onEnd);
  return {
    get open() {
      return connection.open;
    },
    close: () => connection.close(),
    async ask(topics, timeoutMs) {
      const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
      const id = connection.send(
        (correlationId) => encodeMetadataRequest(version, correlationId, options.clientId, topics),
        { answered: resolve, ended: reject },
      );
      const timer = setTimeout(() => {
        connection.forget(id);
        reject(new Error(`no answer in ${timeoutMs} ms`));
      }, timeoutMs);
      try {
        const frame = await promise;
        return { ...decodeMetadataResponse(version, frame).answer, at: Date.now() };
      } finally {
        clearTimeout(timer);
      }
    },
  };
}
