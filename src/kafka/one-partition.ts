import { encodeRecords, type RecordContent } from './record-encoding.ts';

/** A record as kafkajs takes it. */
interface Message extends RecordContent {
  partition: number;
}

type Grouped = Record<string, Message[]>;

/** What kafkajs writes records with. */
interface Encoder {
  buf: Buffer;
  readonly buffer: Buffer;
}

/**
 * Records of one partition, in a list that kafkajs groups by partition at one go. Its own way (`groupMessagesPerPartition`) makes a new
 * list for each record, some n²/2 places for n of them. It asks the list to reduce itself: the first record tells by kafkajs' own word which group it is, and the others join it. Where it asks for another
 * fold from a start, it is given that. The group is encoded at one go as well: records have a key and a value and nothing else.
 */
export function ofOnePartition(records: Message[]): Message[] {
  const reduce = (step: (grouped: Grouped, record: Message) => Grouped, empty: Grouped): Grouped => {
    const [first, ...others] = records;
    if (first === undefined) return empty;
    const grouped = step(empty, first);
    const [group, ...more] = Object.values(grouped ?? {});
    const isGrouping = more.length === 0 && group?.length === 1 && group[0] === first;
    if (!isGrouping) return others.reduce(step, grouped);
    for (const record of others) group.push(record);
    encodedAtOnce(group);
    return grouped;
  };
  return Object.defineProperty(records, 'reduce', { value: reduce });
}

/**
 * Lets kafkajs encode a batch's records into one buffer. Its own way (`recordBatch/record`) makes one or two buffers for each record and
 * some more for its numbers. It asks the list to map itself: where the first record comes out as kafkajs encodes it, so do the
 * others, and the first of what it is given has the bytes of them all. Where it asks for another mapping, it is given that.
 */
function encodedAtOnce(group: Message[]): void {
  const map = <U>(step: (record: Message, at: number) => U): (U | Encoder)[] => {
    const [first] = group;
    const encoded = first && step(first, 0);
    const isEncoding = first && isEncoder(encoded) && encoded.buffer.equals(encodeRecords([first]));
    if (!isEncoding) return Array.from(group, step);
    return [encoderOf(encodeRecords(group)), ...Array(group.length - 1).fill(encoderOf(none))];
  };
  Object.defineProperty(group, 'map', { value: map });
}

const none = Buffer.alloc(0);

function encoderOf(bytes: Buffer): Encoder {
  return { buf: bytes, buffer: bytes };
}

function isEncoder(value: unknown): value is Encoder {
  const { buf, buffer } = (value ?? {}) as Partial<Encoder>;
  return Buffer.isBuffer(buf) && Buffer.isBuffer(buffer);
}
