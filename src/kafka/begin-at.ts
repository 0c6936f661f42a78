import type { Consumer } from 'kafkajs';

/** What a client has read of a partition in one go. */
export interface PassedBatch {
  partition: number;
  /** Of its last record, as kafkajs tells it. */
  lastOffset: string;
  highWatermark: string;
}

/** Lets a client of a new group begin where somebody else has come to, partition by partition. */
export interface BeginAt {
  /** The client has joined its group, and asks for no records before this returns. */
  joined(): void;
  passed(batch: PassedBatch): void;
}

/**
 * Sets the client to these offsets. kafkajs commits them first, and forgets one where that fails, where it joins anew or where its
 * fetchers overtake one another: it then reads from the log's beginning. What shows below its offset is therefore set once more, for as
 * long as the log reaches to it; a log that went back is read as it is.
 */
export function beginAt(
  consumer: Pick<Consumer, 'seek'>,
  topic: string,
  offsets: ReadonlyMap<number, number>,
): BeginAt {
  const ahead = new Map([...offsets].filter(([, offset]) => offset > 0));
  const seek = (partition: number, offset: number) =>
    consumer.seek({ topic, partition, offset: String(offset) });
  return {
    joined() {
      for (const [partition, offset] of ahead) seek(partition, offset);
    },
    passed({ partition, lastOffset, highWatermark }) {
      const offset = ahead.get(partition);
      if (offset === undefined) return;
      const isBelow = Number(lastOffset) < offset && Number(highWatermark) >= offset;
      if (isBelow) seek(partition, offset);
      else ahead.delete(partition);
    },
  };
}
