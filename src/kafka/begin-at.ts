import type { Consumer } from 'kafkajs';

/** What a client has read of a partition in one go. */
export interface PassedBatch {
  partition: number;
  /** Of its last record, as kafkajs tells it. */
  lastOffset: string;
  highWatermark: string;
}

/** Lets a client begin where somebody else has come to, partition by partition, and go on where it was when it joins its group anew. */
export interface BeginAt {
  /** The client has joined its group, and asks for no records before this returns. */
  joined(): void;
  passed(batch: PassedBatch): void;
}

/**
 * Sets the client to these offsets, and later to those that it has come to: what it has committed lies some seconds behind. kafkajs forgets an
 * offset where it joins anew or where its fetchers overtake one another: it then reads from the log's beginning. What shows below its
 * offset is therefore set once more, for as long as the log reaches to it; a log that went back is read as it is.
 */
export function beginAt(
  consumer: Pick<Consumer, 'seek'>,
  topic: string,
  offsets: ReadonlyMap<number, number>,
): BeginAt {
  const next = new Map(offsets);
  const ahead = new Map<number, number>();
  const seek = (partition: number, offset: number) =>
    consumer.seek({ topic, partition, offset: String(offset) });
  return {
    joined() {
      for (const [partition, offset] of next) {
        if (offset <= 0) continue;
        ahead.set(partition, offset);
        seek(partition, offset);
      }
    },
    passed({ partition, lastOffset, highWatermark }) {
      const offset = ahead.get(partition);
      if (offset !== undefined && Number(lastOffset) < offset && Number(highWatermark) >= offset)
        return void seek(partition, offset);
      ahead.delete(partition);
      next.set(partition, Number(lastOffset) + 1);
    },
  };
}
