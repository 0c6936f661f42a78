/** When the records of one partition are due: the stream's records are dealt out to the partitions in turn. Times in ms. */
export interface Schedule {
  /** When record `sequence` of the partition is due, from the schedule's beginning. */
  dueAt(sequence: number): number;
  /** How many records of the partition are due by then. */
  dueBy(elapsedMs: number): number;
}

/** A schedule of `rate` records a second over `partitions` partitions, as one of them has it. */
export function scheduleOf(rate: number, partitions: number, partition: number): Schedule {
  return {
    dueAt: (sequence) => ((sequence * partitions + partition) * 1_000) / rate,
    dueBy: (elapsedMs) =>
      Math.max(0, Math.floor(((elapsedMs * rate) / 1_000 - partition) / partitions + 1e-9) + 1),
  };
}

/** The key of a partition's record; each key is of one partition alone. Undefined where records have none. */
export function keyOf(
  keys: number,
  partitions: number,
  partition: number,
  sequence: number,
): string | undefined {
  if (keys === 0) return undefined;
  const own = Math.ceil((keys - partition) / partitions);
  return `key-${partition + partitions * (sequence % own)}`;
}
