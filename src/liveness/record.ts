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

/** `<crc32 of the rest, hex> <run> <producer> <partition> <sequence> <epoch ms>[ <padding to the size asked for, bytes>]` */
export function encodeRecord(
  { producer, partition, sequence, at }: StreamRecord,
  runId: string,
  size = 0,
): string {
  const head = `${runId} ${producer} ${partition} ${sequence} ${at}`;
  const missing = size - head.length - checksumLength - 2;
  const body = missing > 0 ? `${head} ${paddingOf(missing)}` : head;
  return `${checksumOf(body)} ${body}`;
}

const checksumLength = 8;

function checksumOf(body: string): string {
  return crc32(body).toString(16).padStart(checksumLength, '0');
}

/** Hardly to be compressed within one record, and the same in each. */
let padding = '';

function paddingOf(length: number): string {
  while (padding.length < length) padding += randomBytes(4_096).toString('base64');
  return padding.slice(0, length);
}

/** The record; 'damaged' where the checksum is wrong, 'foreign' where it is of another run. */
export function decodeRecord(text: string, runId: string): StreamRecord | 'damaged' | 'foreign' {
  const split = text.indexOf(' ');
  const body = text.slice(split + 1);
  if (split < 0 || checksumOf(body) !== text.slice(0, split)) return 'damaged';
  const [run, producer, partition, sequence, at] = body.split(' ', 5);
  if (run !== runId) return 'foreign';
  return {
    producer: Number(producer),
    partition: Number(partition),
    sequence: Number(sequence),
    at: Number(at),
  };
}
