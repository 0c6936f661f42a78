/** The stream by its own count, when a kill had been proven. Evidence is what its end says; this is for those who watch. */
export interface StreamGlance {
  /** RFC 3339, worker's clock. */
  at: string;
  acked: number;
  /** Acks, and records received, in the last full second. */
  ackRate: number;
  receiveRate: number;
  /** Longest time between two acks, and between two records received, so far. ms */
  longestAckGapMs: number;
  longestSilenceMs: number;
}
