/** Since when a partition has been without a record: by the clock that tells of records, ms. */
export interface Quiet {
  partition: number;
  since: number;
}

/** Times without a record, of each partition by itself: one that nobody can read is not hidden by others that flow. */
export interface Silences {
  /** A record came. How long its partition was silent before, ms. */
  came(partition: number, at: number): number;
  /** Who has been silent for longest, one that never had a record since the first of any; undefined before that. */
  quietest(): Quiet | undefined;
  /** Those that are over are none. */
  forget(): void;
  /** The longest that a record has ended, ms, and when it began. */
  readonly longest: { ms: number; at?: number };
}

/** Silences of a topic's partitions. */
export function silencesOf(partitions: number): Silences {
  const lastAt = new Map<number, number>();
  let firstAt: number | undefined;
  let longest: { ms: number; at?: number } = { ms: 0 };

  const since = (partition: number, first: number) => lastAt.get(partition) ?? first;
  return {
    get longest() {
      return longest;
    },
    forget() {
      longest = { ms: 0 };
    },
    came(partition, at) {
      firstAt ??= at;
      const began = since(partition, firstAt);
      if (at - began > longest.ms) longest = { ms: at - began, at: began };
      lastAt.set(partition, at);
      return at - began;
    },
    quietest() {
      if (firstAt === undefined) return undefined;
      const first = firstAt;
      const all = Array.from({ length: partitions }, (_, partition) => ({
        partition,
        since: since(partition, first),
      }));
      return all.reduce((longest, one) => (one.since < longest.since ? one : longest));
    },
  };
}
