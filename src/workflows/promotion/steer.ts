import {
  ApplicationFailure,
  defineQuery,
  defineSignal,
  defineUpdate,
  setHandler,
} from '@temporalio/workflow';
import { answersTo } from '../../experiment/promotion/answers.ts';
import {
  currentStage,
  type DecisionRequest,
  decisionRefusal,
  decisions,
  openApproval,
  readDecision,
  type Said,
} from '../../experiment/promotion/decision.ts';
import type { Decision } from '../../experiment/promotion/record.ts';
import { note, type PromotionStory, stamp } from './story.ts';

/** Takes what people decide from now on. What cannot be done is rejected with the reason and leaves no trace. */
export function takeDecisions(story: PromotionStory): void {
  const { record } = story;
  for (const request of Object.keys(decisions) as DecisionRequest[]) {
    setHandler(defineUpdate<string, [unknown]>(request), (input) => decide(story, request, input), {
      description: decisions[request],
      validator: (input) => {
        const refusal = decisionRefusal(request, readDecision(input), story.checked?.promotion, record);
        if (refusal) throw new Error(refusal);
      },
    });
  }
  // A stop must reach a promotion whose worker is away, and is never refused for a slip in its input.
  setHandler(
    defineSignal<[unknown?]>('stop'),
    (input) => {
      const said = typeof input === 'object' && input !== null ? (input as Record<string, unknown>) : {};
      const text = (value: unknown) => (typeof value === 'string' ? value.slice(0, 500) : 'not given');
      if (record.outcome === 'Running')
        takeDecision(story, 'stop', { actor: text(said.actor), reason: text(said.reason) });
    },
    { description: decisions.stop },
  );
  setHandler(defineQuery('status'), () => record, { description: 'The record as it stands.' });
  setHandler(defineQuery('timeline'), () => record.timeline, { description: 'What has happened so far.' });
}

function decide(story: PromotionStory, request: DecisionRequest, input: unknown): string {
  const promotion = story.checked?.promotion;
  const said = readDecision(input);
  // Of requests that come at one moment, all are validated before the first is carried out.
  const refusal = decisionRefusal(request, said, promotion, story.record);
  if (refusal) throw ApplicationFailure.nonRetryable(refusal, 'REQUEST_REFUSED');
  return takeDecision(story, request, said);
}

function takeDecision(story: PromotionStory, request: DecisionRequest, said: Said): string {
  const stage = currentStage(story.record);
  const { promotion } = story.checked ?? {};
  const { actor, reason, role } = said;
  const decision: Decision = { request, actor, reason, at: stamp(), ...(role ? { role } : {}) };
  if (stage) decision.stage = stage.name;
  const open = promotion && stage && openApproval(promotion, stage);
  story.record.decisions.push(decision);
  note(story, `${request} by ${actor}${role ? ` (${role})` : ''}: ${reason}`, stage?.name);
  switch (request) {
    case 'stop':
      if (!story.rejectedBy) story.stoppedBy ??= decision;
      story.work.cancel();
      return 'stopped: what runs is stopped and cleans up';
    case 'approve':
      if (open) {
        const { gate, approvals } = open;
        approvals.push(decision);
        stage.answers = answersTo(promotion, story.record.promotion.workflowId, stage.name, gate, approvals);
      }
      return `${open?.approvals.length} of ${open?.gate.needed} approvals of ${stage?.name}`;
    case 'reject':
      story.rejectedBy = decision;
      story.work.cancel();
      return 'rejected: what runs is stopped and cleans up';
    case 'override':
    case 'retry':
      story.answer = decision;
      // Nobody else decides on it any more.
      if (stage) stage.state = 'running';
      return `${stage?.name} ${request === 'retry' ? 'begins anew' : 'goes on'}`;
  }
}
