/** A time in which a partition's leader served nobody. */
export interface PartitionOutage {
  /** Absent from an observer that probed partition 0 alone. */
  partition?: number;
  /** Epoch ms of the last answer before, observer's clock. */
  at: number;
  /** To the first answer after it: contains the true outage, and is longer by less than a probe's step where connections held. */
  ms: number;
  /** What was seen first: no answer though the connection held, an answer that it does not lead, or the connection's end. */
  how: 'silence' | 'refusal' | 'cut';
  /** Still going on at the last look. */
  open?: boolean;
}

/** Outages of the stream's partitions as the observer's probes saw them; added delay is none. */
export interface PartitionOutages {
  /** How many were probed, from partition 0 on; absent from an observer that probed that one alone. */
  partitions?: number;
  count: number;
  /** Of the partition with most. */
  totalMs: number;
  longestMs: number;
  /** Time from one probe to the next, and the shortest silence that counts, ms. */
  stepMs: number;
  floorMs: number;
  /** The longest, in the order of time. */
  longest: PartitionOutage[];
}

/** The partition of an outage, also where an earlier version did not tell it. */
export function partitionOf({ partition = 0 }: PartitionOutage): number {
  return partition;
}
