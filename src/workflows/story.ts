import { setCurrentDetails } from '@temporalio/workflow';
import type { Closing, Resolved } from '../activities/contract.ts';
import type { Problem } from '../experiment/errors.ts';
import type {
  KillRecord,
  ProvisionedKafka,
  StartedLiveness,
  Step,
  TimelineEntry,
} from '../experiment/result.ts';

/** What a run knows of itself so far. */
export interface Story {
  startedAt: string;
  timeline: TimelineEntry[];
  kills: KillRecord[];
  step?: Step;
  resolved?: Resolved;
  kafka?: ProvisionedKafka;
  liveness?: StartedLiveness;
  closing?: Closing;
  problem?: Problem;
  cancelled?: boolean;
}

/** Adds a fact to the timeline and shows the last ones in the Web UI. */
export function tell(story: Story, step: Step, text: string): void {
  story.timeline.push({ at: new Date().toISOString(), step, text });
  const rows = story.timeline
    .slice(-12)
    .map((entry) => `- \`${entry.at.slice(11, 19)}\` ${entry.step}: ${entry.text}`);
  setCurrentDetails(rows.join('\n'));
}
