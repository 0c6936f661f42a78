import type { Socket } from 'node:net';
import { askOnce, brokerConnection } from './broker-connection.ts';
import { decodeListGroupsResponse, encodeListGroupsRequest, type GroupList } from './list-groups-protocol.ts';
import { decodeMetadataResponse, encodeMetadataRequest } from './metadata-protocol.ts';
import type { KnownVersion } from './metadata-version.ts';
import type { ClusterMetadata, Topics } from './port.ts';

/** A held connection to one broker on which it is asked what it knows of the cluster. */
export interface MetadataConnection {
  /** The broker's own answer; rejects when the connection ends or the time is over. */
  ask(topics: Topics, timeoutMs: number): Promise<ClusterMetadata>;
  /** The consumer groups that this broker coordinates; rejects likewise. */
  groups(timeoutMs: number): Promise<GroupList>;
  readonly open: boolean;
  close(): void;
}

/**
 * Asks over a connected socket, by the version that is known of the broker; what comes of it is kept in `known`. `onEnd` is called once,
 * when the connection has ended for whatever reason.
 */
export function metadataConnection(
  socket: Socket,
  options: { clientId: string; known: KnownVersion; onEnd?: () => void },
): MetadataConnection {
  const { clientId, known } = options;
  const { version } = known;
  const connection = brokerConnection(socket, options.onEnd);
  let closed = false;
  return {
    get open() {
      return connection.open;
    },
    close() {
      closed = true;
      connection.close();
    },
    async ask(topics, timeoutMs) {
      const encode = (id: number) => encodeMetadataRequest(version, id, clientId, topics);
      const askedAt = Date.now();
      try {
        const frame = await askOnce(connection, encode, timeoutMs);
        const { answer } = decodeMetadataResponse(version, frame);
        known.answered(version);
        return { ...answer, at: Date.now() };
      } catch (error) {
        if (!closed) known.failed(version, connection.open ? undefined : Date.now() - askedAt);
        throw error;
      }
    },
    async groups(timeoutMs) {
      const encode = (id: number) => encodeListGroupsRequest(id, clientId);
      return decodeListGroupsResponse(await askOnce(connection, encode, timeoutMs));
    },
  };
}
