import { reader, writer } from './wire.ts';

const fetchApiKey = 1;

/** v4 is the newest that a Kafka of 2017 knows and the oldest that today's brokers know (0.11 to 4.x). */
const fetchVersion = 4;

/** What is asked of one partition. */
export interface FetchRequest {
  clientId: string;
  topic: string;
  partition: number;
  offset: number;
  /** How long the broker may wait for records, ms. */
  maxWaitMs: number;
  maxBytes: number;
}

/** Some records that lie together in the log. */
export interface RecordBatch {
  /** First offset, and the offset behind the last. */
  from: number;
  next: number;
  /** 0 for the marker of a transaction's end. */
  records: number;
  bytes: number;
}

/** What a broker answered. */
export interface FetchAnswer {
  /** Kafka's error code; 0: this broker leads the partition and gave what there is. */
  error: number;
  /** End of what readers may read. */
  highWatermark: number;
  batches: RecordBatch[];
}

/** A Fetch request with its length prefix: a client's, of what is below the high watermark. */
export function encodeFetchRequest(request: FetchRequest, correlationId: number): Buffer {
  const body = writer();
  body.int16(fetchApiKey);
  body.int16(fetchVersion);
  body.int32(correlationId);
  body.string(request.clientId);
  body.int32(-1); // a client, not a replica
  body.int32(request.maxWaitMs);
  body.int32(1); // answer as soon as there is anything
  body.int32(request.maxBytes);
  body.int8(0); // up to the high watermark
  body.int32(1);
  body.string(request.topic);
  body.int32(1);
  body.int32(request.partition);
  body.int64(BigInt(request.offset));
  body.int32(request.maxBytes);
  return body.framed();
}

/** The first partition of a Fetch response without its length prefix. */
export function decodeFetchResponse(frame: Buffer): FetchAnswer {
  const read = reader(frame);
  read.int32(); // correlation id
  read.int32(); // throttle time
  const [answer] = read
    .array(() => {
      read.string();
      return read.array(() => {
        read.int32(); // partition
        const error = read.int16();
        const highWatermark = Number(read.int64());
        read.int64(); // last stable offset
        read.array(() => [read.int64(), read.int64()]); // aborted transactions
        return { error, highWatermark, batches: batchesOf(read.bytes()) };
      });
    })
    .flat();
  // A broker that names no partition does not know it.
  return answer ?? { error: 3, highWatermark: -1, batches: [] };
}

/** Where fields stand in a batch, magic 2: see "Record Batch" in Kafka's documentation of its message format. */
const place = { length: 8, magic: 16, attributes: 21, lastOffsetDelta: 23, records: 57, end: 61 } as const;

/** Bit of the attributes: a batch that only marks a transaction's end. */
const controlBit = 0x20;

/** The batches by their headers, which are never compressed. The last one may be cut off, and does not count then. */
function batchesOf(bytes: Buffer): RecordBatch[] {
  const batches: RecordBatch[] = [];
  let at = 0;
  while (at + place.end <= bytes.length) {
    const whole = at + place.length + 4 + bytes.readInt32BE(at + place.length);
    if (whole > bytes.length || bytes.readInt8(at + place.magic) !== 2) break;
    const from = Number(bytes.readBigInt64BE(at));
    const isControl = (bytes.readInt16BE(at + place.attributes) & controlBit) !== 0;
    batches.push({
      from,
      next: from + bytes.readInt32BE(at + place.lastOffsetDelta) + 1,
      records: isControl ? 0 : bytes.readInt32BE(at + place.records),
      bytes: whole - at,
    });
    at = whole;
  }
  return batches;
}
