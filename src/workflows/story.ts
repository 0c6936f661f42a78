import { setCurrentDetails } from '@temporalio/workflow';
import type { Closing, Progress, Resolved } from '../activities/contract.ts';
import type { EarlierKills } from '../experiment/earlier-kills.ts';
import type { Problem } from '../experiment/errors.ts';
import type { KillRecord } from '../experiment/kill-record.ts';
import type {
  ProvisionedKafka,
  StartedLiveness,
  Step,
  TimelineEntry,
  Verdict,
} from '../experiment/result.ts';
import type { SearchAttributeName } from '../experiment/search-attributes.ts';
import type { Steering } from '../experiment/steering.ts';
import type { StreamGlance } from '../experiment/stream-glance.ts';
import { detailsOf } from './details.ts';

/** What a run knows of itself so far. */
export interface Story {
  startedAt: string;
  timeline: TimelineEntry[];
  /** Those of this history. */
  kills: KillRecord[];
  /** Those before it, where the run went on in a new history. */
  earlier?: EarlierKills;
  /** Entries of the timeline that came from earlier histories. */
  carriedEntries?: number;
  steering: Steering;
  /** When the last kill was made that was; epoch ms. */
  lastActAt?: number;
  /** Counts what people have asked for, so that a wait can end when something new was. */
  changes: number;
  step?: Step;
  /** What a long step said last. */
  progress?: Progress;
  resolved?: Resolved;
  /** The answer of `resolve` was lost: it may have taken the claim. */
  claimUnknown?: boolean;
  kafka?: ProvisionedKafka;
  liveness?: StartedLiveness;
  /** Until when parts of the stream were taken over, epoch ms; absent where none was. */
  partsUntil?: number;
  takingPart?: Promise<void>;
  /** As it stood when the last kill had been proven. */
  stream?: StreamGlance;
  closing?: Closing;
  problem?: Problem;
  /** Search attributes that may be set, where the run was refused before it had a target. */
  registered?: SearchAttributeName[];
  cancelled?: boolean;
  /** Id of the schedule that started the run. */
  scheduledBy?: string;
  /** Verdicts on which the run pauses that schedule. */
  pauseOn?: Verdict[];
  /** A scheduled run that was left out: nothing was touched. */
  skipped?: boolean;
}

/** Goes on to the next step. */
export function begin(story: Story, step: Step): void {
  story.step = step;
  showDetails(story);
}

/** Adds a fact to the timeline and shows where the run stands in the Web UI. */
export function tell(story: Story, step: Step, text: string): void {
  story.timeline.push({ at: new Date().toISOString(), step, text });
  showDetails(story);
}

/** Shows where the run stands in the Web UI. */
export function showDetails(story: Story): void {
  setCurrentDetails(detailsOf(story));
}
