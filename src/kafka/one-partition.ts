/** A record as kafkajs takes it. */
interface Message {
  value: Buffer;
  partition: number;
}

type Grouped = Record<string, Message[]>;

/**
 * Records of one partition, in a list that kafkajs groups by partition at one go. Its own way (`groupMessagesPerPartition`) makes a new
 * list for each record, some n²/2 places for n of them. It asks the list to reduce itself: the first record tells by kafkajs' own word which group it is, and the others join it. Where it asks for another
 * fold from a start, it is given that.
 */
export function ofOnePartition<T extends Message>(records: T[]): T[] {
  const reduce = (step: (grouped: Grouped, record: T) => Grouped, empty: Grouped): Grouped => {
    const [first, ...others] = records;
    if (first === undefined) return empty;
    const grouped = step(empty, first);
    const [group, ...more] = Object.values(grouped ?? {});
    const isGrouping = more.length === 0 && group?.length === 1 && group[0] === first;
    if (!isGrouping) return others.reduce(step, grouped);
    for (const record of others) group.push(record);
    return grouped;
  };
  return Object.defineProperty(records, 'reduce', { value: reduce });
}
