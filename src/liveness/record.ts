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

/** No record's head is longer. Bytes */
const maxHeadBytes = 128;

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
  value.write(`${checksumOf(value)} `, 0, 'latin1');
  return value;
}

const space = 0x20;

function checksumOf(value: Buffer): string {
  return crc32(value.subarray(checksumBytes)).toString(16).padStart(8, '0');
}

/** Hardly to be compressed within one record, and the same in each. */
let padding: Buffer = Buffer.alloc(0);

function paddingOf(length: number): Buffer {
  if (padding.length < length) padding = Buffer.from(randomBytes(length).toString('base64'));
  return padding;
}

/** The record; 'damaged' where the checksum is wrong, 'foreign' where it is of another run. */
export function decodeRecord(value: Buffer, runId: string): StreamRecord | 'damaged' | 'foreign' {
  if (checksumOf(value) !== value.toString('latin1', 0, checksumBytes - 1)) return 'damaged';
  const head = value.toString('latin1', checksumBytes, Math.min(value.length, maxHeadBytes));
  const [run, producer, partition, sequence, at] = head.split(' ', 5);
  if (run !== runId) return 'foreign';
  return {
    producer: Number(producer),
    partition: Number(partition),
    sequence: Number(sequence),
    at: Number(at),
  };
}
