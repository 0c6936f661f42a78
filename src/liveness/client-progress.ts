/** How far one client has come by itself: records that it reads for the first time are progress, whoever has read them before it. */
export interface ClientProgress {
  /** It was given a record. `now` in ms. */
  came(partition: number, offset: number, now: number): void;
  /** When it last came further, in one partition or in any, by the clock that tells of records, ms; undefined: never. */
  movedAt(only?: number): number | undefined;
}

/** Of a client that has read nothing yet. What it is given again and again is no progress. */
export function clientProgress(): ClientProgress {
  const furthest = new Map<number, { offset: number; at: number }>();
  let lastAt: number | undefined;
  return {
    came(partition, offset, now) {
      if (offset <= (furthest.get(partition)?.offset ?? -1)) return;
      furthest.set(partition, { offset, at: now });
      lastAt = now;
    },
    movedAt: (only) => (only === undefined ? lastAt : furthest.get(only)?.at),
  };
}
