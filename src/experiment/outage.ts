/** A time in which the partition's leader served nobody. */
export interface PartitionOutage {
  /** Epoch ms of the last answer before, observer's clock. */
  at: number;
  /** To the first answer after it: contains the true outage, and is longer by less than a probe's step where connections held. */
  ms: number;
  /** What was seen first: no answer though the connection held, an answer that it does not lead, or the connection's end. */
  how: 'silence' | 'refusal' | 'cut';
  /** Still going on at the last look. */
  open?: boolean;
}

/** Outages of the stream's partition as the observer's probes saw them; added delay is none. */
export interface PartitionOutages {
  count: number;
  totalMs: number;
  longestMs: number;
  /** Time from one probe to the next, and the shortest silence that counts, ms. */
  stepMs: number;
  floorMs: number;
  /** The longest, in the order of time. */
  longest: PartitionOutage[];
}
