import {
  ApplicationFailure,
  allHandlersFinished,
  CancellationScope,
  CancelledFailure,
  condition,
  isCancellation,
  proxyActivities,
} from '@temporalio/workflow';
import type { PromotionActivities } from '../../activities/contract.ts';
import type { PromotionRecord } from '../../experiment/promotion/record.ts';
import { problemOfFailure } from '../failure.ts';
import { carryOutHooks, endNews, tellNews } from './news.ts';
import { type End, passStage } from './stage.ts';
import { takeDecisions } from './steer.ts';
import { linkOf, newStory, note, type PromotionStory, show, stamp } from './story.ts';

const { checkPromotion } = proxyActivities<Pick<PromotionActivities, 'checkPromotion'>>({
  startToCloseTimeout: '1m',
  summary: 'check the promotion, its experiments and secrets',
});

const { keepRecord } = proxyActivities<Pick<PromotionActivities, 'keepRecord'>>({
  startToCloseTimeout: '1m',
  summary: 'the record',
});

/**
 * Takes a subject through stages, each with its experiments and gates, on each environment's own workers.
 * Completed: Promoted, Rejected, Expired. Canceled: Stopped. Failed: it could not be begun, or broke. The record is what `keepRecord` returned.
 */
export async function promotion(input: unknown): Promise<PromotionRecord> {
  const work = new CancellationScope();
  const story = newStory(work);
  takeDecisions(story);
  let end: End;
  let failure: ApplicationFailure | undefined;
  try {
    end = await work.run(() => promote(input, story));
    // Who ends a promotion is heard also where something fails, or all is passed, at the same time.
    if (work.consideredCancelled) end = endOfCancel(story);
  } catch (error) {
    if (isCancellation(error)) end = endOfCancel(story);
    else if (work.consideredCancelled) {
      const { code, message } = problemOfFailure(error);
      end = endOfCancel(story, `; meanwhile ${code}: ${message}`);
    } else {
      failure = failureOf(error);
      if (!story.checked) throw failure;
      end = { outcome: 'Error', reason: `${failure.type}: ${failure.message}` };
    }
  }
  const record = await CancellationScope.nonCancellable(() => ending(story, end));
  if (failure) throw failure;
  if (end.outcome === 'Stopped') throw new CancelledFailure(`Stopped: ${end.reason}`);
  return record;
}

async function promote(input: unknown, story: PromotionStory): Promise<End> {
  const checked = await checkPromotion(input ?? {});
  story.checked = checked;
  const { name, subject, startedBy, stages } = checked.promotion;
  Object.assign(story.record, { name, subject, ...(startedBy ? { startedBy } : {}), ...linkOf(story) });
  story.record.stages = stages.map((stage) => ({
    name: stage.name,
    taskQueue: stage.environment.taskQueue,
    state: 'pending',
    attempt: 0,
    runs: [],
    gates: [],
  }));
  note(story, `${subject} is to pass ${stages.map((stage) => stage.name).join(', ')}`);
  tellNews(story, 'started', `promotion through ${stages.map((stage) => stage.name).join(', ')} has begun`);
  for (const [index, stage] of stages.entries()) {
    const record = story.record.stages[index];
    if (!record) continue;
    const end = await passStage(story, { stage, record, experiments: checked.experiments[index] ?? [] });
    if (end) return end;
  }
  return { outcome: 'Promoted', reason: `${subject} passed ${stages.map((stage) => stage.name).join(', ')}` };
}

/** Hooks, news and the record, whatever came before. */
async function ending(story: PromotionStory, { outcome, reason }: End): Promise<PromotionRecord> {
  const { record, checked } = story;
  Object.assign(record, { outcome, reason, endedAt: stamp() });
  for (const stage of record.stages) {
    delete stage.answers;
    if (['running', 'waiting', 'held'].includes(stage.state)) stage.state = 'not passed';
  }
  note(story, `${outcome}: ${reason}`);
  const { onPromoted = [], onRejected = [] } = checked?.promotion ?? {};
  if (outcome === 'Promoted') await carryOutHooks(story, onPromoted);
  if (['Rejected', 'Expired', 'Error'].includes(outcome)) await carryOutHooks(story, onRejected);
  tellNews(story, 'ended', `${outcome}: ${reason}`);
  await endNews(story);
  await condition(allHandlersFinished);
  const kept = await keepRecord(record);
  show(story);
  return kept;
}

function endOfCancel({ rejectedBy, stoppedBy }: PromotionStory, meanwhile = ''): End {
  const end = (outcome: 'Stopped' | 'Rejected', reason: string) => ({
    outcome,
    reason: `${reason}${meanwhile}`,
  });
  if (stoppedBy) return end('Stopped', `stopped by ${stoppedBy.actor}: ${stoppedBy.reason}`);
  if (!rejectedBy) return end('Stopped', 'it was cancelled');
  return end('Rejected', `rejected by ${rejectedBy.actor}: ${rejectedBy.reason}`);
}

function failureOf(error: unknown): ApplicationFailure {
  const found = problemOfFailure(error);
  return ApplicationFailure.nonRetryable(found.message, found.code, found);
}
