import type { Socket } from 'node:net';
import { askOnce, brokerConnection } from './broker-connection.ts';
import { decodeListGroupsResponse, encodeListGroupsRequest, type GroupList } from './list-groups-protocol.ts';
import { decodeMetadataResponse, encodeMetadataRequest, type MetadataVersion } from './metadata-protocol.ts';
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

/** Asks over a connected socket. `onEnd` is called once, when the connection has ended for whatever reason. */
export function metadataConnection(
  socket: Socket,
  options: { clientId: string; version?: MetadataVersion; onEnd?: () => void },
): MetadataConnection {
  const { clientId, version = 7 } = options;
  const connection = brokerConnection(socket, options.onEnd);
  return {
    get open() {
      return connection.open;
    },
    close: () => connection.close(),
    async ask(topics, timeoutMs) {
      const encode = (id: number) => encodeMetadataRequest(version, id, clientId, topics);
      const frame = await askOnce(connection, encode, timeoutMs);
      return { ...decodeMetadataResponse(version, frame).answer, at: Date.now() };
    },
    async groups(timeoutMs) {
      const encode = (id: number) => encodeListGroupsRequest(id, clientId);
      return decodeListGroupsResponse(await askOnce(connection, encode, timeoutMs));
    },
  };
}
