import { type CancellationScope, setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import type { CheckedPromotion } from '../../activities/contract.ts';
import type { Stage } from '../../experiment/promotion/promotion.ts';
import type { Decision, PromotionRecord, StageRecord } from '../../experiment/promotion/record.ts';
import { promotionDetails } from './details.ts';

/** What a promotion knows of itself so far. */
export interface PromotionStory {
  record: PromotionRecord;
  checked?: CheckedPromotion;
  /** Ends when somebody rejects. */
  work: CancellationScope;
  /** What somebody has decided on the stage that waits, until it is taken up. */
  answer?: Decision;
  rejectedBy?: Decision;
  stoppedBy?: Decision;
  /** What was to be told, to whom, and whether it arrived. */
  news: { to: string; kind: string; state: string }[];
}

/** One stage: as it is written, and how it goes. */
export interface Place {
  stage: Stage;
  record: StageRecord;
  experiments: CheckedPromotion['experiments'][number];
}

/** A promotion of which nothing is known yet but who it is. */
export function newStory(work: CancellationScope): PromotionStory {
  const { namespace, workflowId, runId, startTime } = workflowInfo();
  return {
    work,
    news: [],
    record: {
      schema: 'leaderfall.io/promotion/v1',
      promotion: { temporalNamespace: namespace, workflowId, runId },
      name: 'promotion',
      subject: '',
      outcome: 'Running',
      reason: 'under way',
      startedAt: startTime.toISOString(),
      stages: [],
      decisions: [],
      hooks: [],
      timeline: [],
    },
  };
}

/** Adds a fact to the timeline and shows it in the Web UI. */
export function note(story: PromotionStory, text: string, stage?: string): void {
  story.record.timeline.push({ at: stamp(), ...(stage ? { stage } : {}), text });
  show(story);
}

/** Shows where the promotion stands in the Web UI. */
export function show({ record }: PromotionStory): void {
  setCurrentDetails(promotionDetails(record));
}

/** Now, or a moment (epoch ms), in RFC 3339. */
export function stamp(at = Date.now()): string {
  return new Date(at).toISOString();
}

/** Address of a workflow in the Web UI, where that is known. */
export function linkOf(
  { checked, record }: PromotionStory,
  workflowId = record.promotion.workflowId,
): { link?: string } {
  if (!checked?.webUi) return {};
  const parts = ['namespaces', record.promotion.temporalNamespace, 'workflows', workflowId];
  return { link: `${checked.webUi}/${parts.map(encodeURIComponent).join('/')}` };
}
