/** A time in which one partition acknowledged nothing to the producer though records were due. */
export interface ProducerOutage {
  partition: number;
  /** Epoch ms of the last ack before it, pod's clock; where there was none, when the first record was due. */
  at: number;
  /** To the first ack after it. */
  ms: number;
  /** Still going on at the last look. */
  open?: boolean;
  /** What the sends in between ended with: kind of error → sends. */
  errors: Record<string, number>;
  /** Sends that failed, and requests that the client repeated by itself. */
  failedSends: number;
  retries: number;
  /** Time in which nothing was tried because the client waited before it tried again, ms; part of `ms`. */
  backoffMs: number;
  /** Clients thrown away and built anew. */
  rebuilds: number;
  /** When the observer knew the leader that took the first record after it, epoch ms; absent where the leader did not change. */
  leaderKnownAt?: number;
  /** From there to the first ack: the client's own part, ms. */
  clientRecoveryMs?: number;
  /**
   * Part of `ms` in which the leader served the observer's probes all the same: the client did not use it, or, with acks=all, its ack
   * waited for replicas.
   */
  servedMs?: number;
  /** Part of `servedMs` in which nothing but the producer's own client kept it from an ack; absent where that cannot be told. */
  stuckMs?: number;
}

/** Outages as the producer had them, over all partitions. */
export interface ProducerOutages {
  count: number;
  /** Of the partition that had most of them together. */
  totalMs: number;
  /** That partition. */
  worst: number;
  maxMs: number;
  /** A wait shorter than this, without an error, is none. ms */
  floorMs: number;
  /** The longest twenty, in the order of time. */
  longest: ProducerOutage[];
}

/** A time in which a partition had fewer replicas in sync than it has replicas. */
export interface IsrShrink {
  partition: number;
  /** Epoch ms, observer's clock. */
  at: number;
  /** All in sync again; absent where they were not at the last look. */
  fullAt?: number;
  /** Fewest replicas in sync. */
  least: number;
}

/** What the brokers' metadata showed of the stream's partitions while the observer looked. */
export interface MetadataFigures {
  /** Partitions together without a leader, ms, and how often. */
  leaderlessMs: number;
  leaderlessCount: number;
  leaderChanges: number;
  controllerChanges: number;
  /** Sum over the partitions of the time with fewer replicas in sync than replicas, s. */
  underReplicatedSeconds: number;
  /** How often the ISR of a partition shrank, the longest time until it was full again or the last look, ms, and how many were not then. */
  shrinkCount?: number;
  longestShrunkMs?: number;
  openShrinks?: number;
  /** The first forty. */
  shrinks: IsrShrink[];
}

/** What being a member of a group cost the consumer. */
export interface GroupFigures {
  /** Joins beyond the first of each client. */
  rebalances: number;
  /** Time from a rebalance's begin to the join that ended it, together and the longest, ms. */
  rebalanceMs: number;
  longestRebalanceMs: number;
  /** Times the group's coordinator was another broker than before. */
  coordinatorMoves: number;
}

/** What a reader without a group read beside the consumer, straight from each partition's leader. */
export interface DirectReaderFigures {
  /** Records below the high watermark that it was given. */
  read: number;
  /** Records that it passed over, because the stream was faster than 4 MiB a second. Earlier versions passed over none. */
  leftOut?: number;
  /** Longest time without a record, ms, and when it began (epoch ms). */
  longestSilenceMs: number;
  longestSilenceAt?: number;
  /** Times another broker served a partition than before, and the longest time from the last answer to the new leader's first, ms. */
  leaderChanges: number;
  longestSwitchMs: number;
  /** Longest time for which the consumer's client did not read what this reader had been given, ms. */
  longestStuckMs: number;
  /** What shows it, one fact a line; empty where the client kept up. */
  stuckEvidence: string[];
}
