import { ApplicationFailure, defineQuery, defineUpdate, setHandler } from '@temporalio/workflow';
import {
  currentStage,
  type DecisionRequest,
  decisionRefusal,
  decisions,
  openApproval,
  readDecision,
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
  setHandler(defineQuery('status'), () => record, { description: 'The record as it stands.' });
  setHandler(defineQuery('timeline'), () => record.timeline, { description: 'What has happened so far.' });
}

function decide(story: PromotionStory, request: DecisionRequest, input: unknown): string {
  const stage = currentStage(story.record);
  const promotion = story.checked?.promotion;
  const said = readDecision(input);
  // Of requests that come at one moment, all are validated before the first is carried out.
  const refusal = decisionRefusal(request, said, promotion, story.record);
  if (refusal || !stage || !promotion) throw ApplicationFailure.nonRetryable(refusal, 'REQUEST_REFUSED');
  const decision: Decision = { request, ...said, at: stamp(), stage: stage.name };
  const open = openApproval(promotion, stage);
  story.record.decisions.push(decision);
  note(story, `${request} by ${said.actor}${said.role ? ` (${said.role})` : ''}: ${said.reason}`, stage.name);
  switch (request) {
    case 'approve':
      open?.approvals.push(decision);
      return `${open?.approvals.length} of ${open?.gate.needed} approvals of ${stage.name}`;
    case 'reject':
      story.rejectedBy = decision;
      story.work.cancel();
      return 'rejected: what runs is stopped and cleans up';
    case 'override':
    case 'retry':
      story.answer = decision;
      // Nobody else decides on it any more.
      stage.state = 'running';
      return `${stage.name} ${request === 'retry' ? 'begins anew' : 'goes on'}`;
  }
}
