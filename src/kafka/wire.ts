/** The few primitive types of Kafka's protocol (non-flexible versions) that our own requests need. */

/** Appends values in Kafka's encoding. */
export function writer() {
  const parts: Buffer[] = [];
  const fixed = (size: number, write: (buffer: Buffer) => void) => {
    const buffer = Buffer.alloc(size);
    write(buffer);
    parts.push(buffer);
  };
  return {
    int8: (value: number) => fixed(1, (buffer) => buffer.writeInt8(value)),
    int16: (value: number) => fixed(2, (buffer) => buffer.writeInt16BE(value)),
    int32: (value: number) => fixed(4, (buffer) => buffer.writeInt32BE(value)),
    int64: (value: bigint) => fixed(8, (buffer) => buffer.writeBigInt64BE(value)),
    string: (value: string) => {
      const bytes = Buffer.from(value);
      fixed(2, (buffer) => buffer.writeInt16BE(bytes.length));
      parts.push(bytes);
    },
    bytes: (value: Buffer) => {
      fixed(4, (buffer) => buffer.writeInt32BE(value.length));
      parts.push(value);
    },
    done: () => Buffer.concat(parts),
    /** With the length prefix that every message has on a connection. */
    framed: () => {
      const length = Buffer.alloc(4);
      length.writeInt32BE(parts.reduce((sum, part) => sum + part.length, 0));
      return Buffer.concat([length, ...parts]);
    },
  };
}

/** Reads values in Kafka's encoding; RangeError where the buffer is too short. */
export function reader(buffer: Buffer) {
  let at = 0;
  const skip = (size: number) => {
    at += size;
    return at - size;
  };
  const int32 = () => buffer.readInt32BE(skip(4));
  const nullableString = (): string | null => {
    const length = buffer.readInt16BE(skip(2));
    if (length < 0) return null;
    const start = skip(length);
    return buffer.toString('utf8', start, start + length);
  };
  const bytes = (): Buffer => {
    const length = Math.max(0, int32());
    const start = skip(length);
    return buffer.subarray(start, start + length);
  };
  return {
    int8: () => buffer.readInt8(skip(1)),
    int16: () => buffer.readInt16BE(skip(2)),
    int32,
    int64: () => buffer.readBigInt64BE(skip(8)),
    /** As a view; as short as what is left where the buffer ends within. */
    bytes,
    nullableString,
    string: () => nullableString() ?? '',
    array: <T>(item: () => T): T[] => Array.from({ length: Math.max(0, int32()) }, item),
  };
}
