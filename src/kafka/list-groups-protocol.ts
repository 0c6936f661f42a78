import { reader, writer } from './wire.ts';

const listGroupsApiKey = 16;

/** v0 is known to every broker from 0.9 to 4.x. */
const listGroupsVersion = 0;

/** What one broker says of the consumer groups that it coordinates. */
export interface GroupList {
  /** Kafka's error code; 0: the list is whole. 14 and 15 while the broker is coming up and still reads its groups. */
  error: number;
  groups: string[];
}

/** A ListGroups request with its length prefix. */
export function encodeListGroupsRequest(correlationId: number, clientId: string): Buffer {
  const body = writer();
  body.int16(listGroupsApiKey);
  body.int16(listGroupsVersion);
  body.int32(correlationId);
  body.string(clientId);
  return body.framed();
}

/** A ListGroups response without its length prefix. */
export function decodeListGroupsResponse(frame: Buffer): GroupList {
  const read = reader(frame);
  read.int32(); // correlation id
  const error = read.int16();
  const groups = read.array(() => {
    const group = read.string();
    read.string(); // protocol type
    return group;
  });
  return { error, groups };
}
