import type { Verdict } from './result.ts';
import type { SloId, SloUnit } from './slo.ts';

/** What a line came to. A line that could not be observed is never met. */
export const lineOutcomes = ['met', 'not met', 'not observable'] as const;

/** What a line came to. */
export type LineOutcome = (typeof lineOutcomes)[number];

/** Lines that every run has beside those of its SLO. */
export const ruleIds = [
  'not-stopped',
  'steps',
  'pod-untouched',
  'brokers-untouched',
  'tool',
  'calm-before',
  'kills',
  'stream',
  'litmus',
  'isr-recovery',
  'log',
  'ledger',
  'regression',
] as const;

/** One line of a verdict. The lines of a run, in their order, are all that its verdict rests on. */
export interface VerdictLine {
  /** Closed list, for programs. */
  id: (typeof ruleIds)[number] | SloId;
  /** A gate that is not met decides alone, before every line that is none. */
  gate: boolean;
  /** What is looked at, in words. */
  what: string;
  /** In words: `≤ 60 s`, `3 proven kills`. */
  required: string;
  /** In words: `0`, `12.4 s`, `not observed`. */
  observed: string;
  outcome: LineOutcome;
  /** The verdict that this line leads to; absent where it lets a Pass through. */
  leadsTo?: Verdict;
  /** The facts in sentences, first the one that matters most; may be empty where required and observed say it all. */
  because: string[];
  /** Figures of an SLO line. */
  limit?: number;
  value?: number;
  unit?: SloUnit;
  /** Who asked for it: the experiment's `slo`, or the default. */
  origin?: 'spec' | 'default';
}

/** The last run of the same spec that passed, and what its SLO lines came to. */
export interface Baseline {
  workflowId: string;
  runId: string;
  /** RFC 3339. */
  endedAt: string;
  figures: Partial<Record<SloId, number>>;
}
