import type { Leftover } from '../experiment/result.ts';

/** What the janitor is asked to do. */
export interface JanitorRequest {
  /** Where to look. Default: the worker's default target, and wherever the worker's rights let it find claims of runs. */
  namespaces?: string[];
  /** Only say what would be done. */
  dryRun?: boolean;
}

/** What was found of one run. */
export interface SweptRun {
  /** `<temporal namespace>/<workflow id>/<run id>`, or the run id where nothing tells more. */
  run: string;
  /** Only what an ended run made is removed. */
  state: 'ended' | 'live' | 'unknown';
  /** How that is known. */
  why: string;
  /** `Pod kafka/kafka-liveness`, `Topic leaderfall-… of kafka/kafka-kafka` … */
  found: string[];
  done: string[];
  leftovers: Leftover[];
}

/** What one round of the janitor found and did. */
export interface JanitorReport {
  schema: 'leaderfall.io/janitor/v1';
  /** RFC 3339 */
  at: string;
  dryRun: boolean;
  namespaces: string[];
  runs: SweptRun[];
  /** What could not be looked at, and why. */
  notes: string[];
}

/** The activity of the workflow `janitor`. May run twice: it looks before it acts. */
export interface JanitorActivities {
  sweep(request: JanitorRequest): Promise<JanitorReport>;
}
