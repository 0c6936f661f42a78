import { crc32 } from 'node:zlib';

/** One record of the stream: its index, when it was to be sent (epoch ms), and the run it belongs to. */
export interface StreamRecord {
  index: number;
  at: number;
}

/** Index of a record that only asks whether the cluster serves; ledgers pass over it. */
export const probeIndex = -1;

/** `<index> <epoch ms> <run> <crc32>` */
export function encodeRecord(record: StreamRecord, runId: string): string {
  const body = `${record.index} ${record.at} ${runId}`;
  return `${body} ${crc32(body).toString(16)}`;
}

/** The record, or undefined where the text is damaged or of another run. */
export function decodeRecord(text: string, runId: string): StreamRecord | undefined {
  const split = text.lastIndexOf(' ');
  const body = text.slice(0, split);
  if (split < 0 || crc32(body).toString(16) !== text.slice(split + 1)) return undefined;
  const [index, at, run] = body.split(' ');
  return run === runId ? { index: Number(index), at: Number(at) } : undefined;
}
