import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** One record of the stream; it belongs to a run besides. */
export interface StreamRecord {
  /** Number of the producer within its run, from 0. */
  producer: number;
  partition: number;
  /** 0, 1, 2 … within the producer and the partition. */
  sequence: number;
  /** When it was to be sent, epoch ms. */
  at: number;
}

/** Producer of a record that only asks whether the cluster serves; ledgers pass over it. */
export const probeProducer = -1;

/** Bytes of `<crc32 of the rest, hex> `. */
const checksumBytes = 9;

/** `<crc32 of the rest, hex> <run> <producer> <partition> <sequence> <epoch ms>[ <padding to the size asked for, bytes>]` */
export function encodeRecord(
  { producer, partition, sequence, at }: StreamRecord,
  runId: string,
  size = 0,
): Buffer {
  const head = `${runId} ${producer} ${partition} ${sequence} ${at}`;
  const end = checksumBytes + head.length;
  const value = Buffer.allocUnsafe(Math.max(size, end));
  value.write(head, checksumBytes, 'latin1');
  if (value.length > end) {
    value[end] = space;
    paddingOf(value.length).copy(value, end + 1, end + 1);
  }
  const checksum = checksumOf(value);
  for (let at = 0; at < digits; at++) value[at] = digitOf(checksum, at);
  value[digits] = space;
  return value;
}

const space = 0x20;
const minus = 0x2d;
const zero = 0x30;

/** Of a checksum. */
const digits = checksumBytes - 1;
const hex = Buffer.from('0123456789abcdef');

/** The digit of a checksum at a place, from the left, as a character. */
function digitOf(checksum: number, at: number): number {
  return hex[(checksum >>> (4 * (digits - 1 - at))) & 0xf] ?? 0;
}

function checksumOf(value: Buffer): number {
  return crc32(value.subarray(checksumBytes));
}

/** Hardly to be compressed within one record, and the same in each. */
let padding: Buffer = Buffer.alloc(0);

function paddingOf(length: number): Buffer {
  if (padding.length < length) padding = Buffer.from(randomBytes(length).toString('base64'));
  return padding;
}

/**
 * The record; 'damaged' where the checksum is wrong, 'foreign' where it is of another run. Read by its bytes: text and its parts cost
 * twice as much, at tens of thousands a second.
 */
export function decodeRecord(value: Buffer, runId: string): StreamRecord | 'damaged' | 'foreign' {
  const checksum = checksumOf(value);
  for (let at = 0; at < digits; at++) if (value[at] !== digitOf(checksum, at)) return 'damaged';
  const runEnd = checksumBytes + runId.length;
  const ofRun = value[runEnd] === space && value.toString('latin1', checksumBytes, runEnd) === runId;
  if (!ofRun) return 'foreign';
  let place = runEnd + 1;
  const next = (): number => {
    const sign = value[place] === minus ? -1 : 1;
    if (sign < 0) place++;
    let size = 0;
    for (; (value[place] ?? space) !== space; place++) size = 10 * size + (value[place] ?? 0) - zero;
    place++;
    return sign * size;
  };
  return { producer: next(), partition: next(), sequence: next(), at: next() };
}
