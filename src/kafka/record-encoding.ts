/** What of a record lies in a batch. */
export interface RecordContent {
  key?: string;
  value: Buffer;
}

/** Attributes, the time since the batch's first record and the number of headers, each 0 and a byte long. */
const emptyFields = 3;

/**
 * Records as they lie in a batch of magic 2 ("Record" in Kafka's documentation of its message format), one after the other in one
 * buffer. All have the time of the first, and none has headers.
 */
export function encodeRecords(records: readonly RecordContent[]): Buffer {
  const lengths = records.map(
    ({ key, value }, offset) => emptyFields + sizeOfVarint(offset) + sizeOfBytes(key) + sizeOfBytes(value),
  );
  const bytes = Buffer.allocUnsafe(lengths.reduce((sum, length) => sum + sizeOfVarint(length) + length, 0));
  let at = 0;

  function varint(value: number): void {
    let rest = zigzag(value);
    for (; rest > 0x7f; rest >>>= 7) bytes[at++] = (rest & 0x7f) | 0x80;
    bytes[at++] = rest;
  }

  function content(value: string | Buffer | undefined): void {
    varint(value === undefined ? -1 : Buffer.byteLength(value));
    if (typeof value === 'string') at += bytes.write(value, at);
    else if (value) at += value.copy(bytes, at);
  }

  for (const [offset, { key, value }] of records.entries()) {
    varint(lengths[offset] ?? 0);
    bytes[at++] = 0; // attributes
    varint(0); // time since the first
    varint(offset);
    content(key);
    content(value);
    varint(0); // headers
  }
  return bytes;
}

/** 0, −1, 1, −2 … as 0, 1, 2, 3 …: small numbers of either sign are short. */
function zigzag(value: number): number {
  return ((value << 1) ^ (value >> 31)) >>> 0;
}

/** Seven bits a byte. */
function sizeOfVarint(value: number): number {
  return Math.max(1, Math.ceil((32 - Math.clz32(zigzag(value))) / 7));
}

function sizeOfBytes(value: string | Buffer | undefined): number {
  const length = value === undefined ? -1 : Buffer.byteLength(value);
  return sizeOfVarint(length) + Math.max(0, length);
}
