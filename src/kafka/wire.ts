/** The few primitive types of Kafka's protocol (non-flexible versions) that a Metadata exchange needs. */

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
    string: (value: string) => {
      const bytes = Buffer.from(value);
      fixed(2, (buffer) => buffer.writeInt16BE(bytes.length));
      parts.push(bytes);
    },
    done: () => Buffer.concat(parts),
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
  return {
    int8: () => buffer.readInt8(skip(1)),
    int16: () => buffer.readInt16BE(skip(2)),
    int32,
    nullableString,
    string: () => nullableString() ?? '',
    array: <T>(item: () => T): T[] => Array.from({ length: Math.max(0, int32()) }, item),
  };
}
