import { ApplicationFailure, CancelledFailure, ChildWorkflowFailure } from '@temporalio/common';
import {
  CancellationScope,
  type ChildWorkflowHandle,
  condition,
  getExternalWorkflowHandle,
  startChild,
} from '@temporalio/workflow';
import { millisecondsOf } from '../../experiment/durations.ts';
import type { PromotionRun } from '../../experiment/promotion/record.ts';
import type { ChaosResult } from '../../experiment/result.ts';
import { shortLine } from '../../experiment/short-line.ts';
import { linkOf, note, type Place, type PromotionStory, stamp } from './story.ts';

/**
 * Runs a stage's experiments on its environment's own worker, each as the run that a person would start, to the byte of its input.
 * Gives why that is not a pass; undefined where all passed. A cancel waits for the clean-up of all that run.
 */
export async function runAll(
  story: PromotionStory,
  place: Place,
  purpose: PromotionRun['purpose'],
): Promise<string | undefined> {
  const orders = place.experiments.map((_, order) => order);
  if (place.stage.sideBySide) {
    const ended = await Promise.allSettled(orders.map((order) => runOne(story, place, purpose, order)));
    const broken = ended.find((end) => end.status === 'rejected');
    if (broken) throw broken.reason;
    return ended.flatMap((end) => (end.status === 'fulfilled' && end.value ? [end.value] : []))[0];
  }
  for (const order of orders) {
    const lack = await runOne(story, place, purpose, order);
    if (lack) return lack;
  }
  return undefined;
}

async function runOne(
  story: PromotionStory,
  { stage, record, experiments }: Place,
  purpose: PromotionRun['purpose'],
  order: number,
): Promise<string | undefined> {
  const { name = '', spec = '', summary = '', details = '' } = experiments[order] ?? {};
  const workflowId = `${story.record.promotion.workflowId}.${stage.name}.${record.runs.length + 1}`;
  const run: PromotionRun = {
    experiment: name,
    purpose,
    attempt: record.attempt,
    workflowId,
    verdict: 'Running',
    reason: 'under way',
    spec,
    startedAt: stamp(),
    ...linkOf(story, workflowId),
  };
  record.runs.push(run);
  note(story, `${name} starts as ${workflowId} on task queue ${stage.environment.taskQueue}`, stage.name);
  try {
    const child = await startChild('kafkaBrokerFailure', {
      workflowId,
      taskQueue: stage.environment.taskQueue,
      args: [stage.experiments[order]],
      parentClosePolicy: 'REQUEST_CANCEL',
      staticSummary: summary,
      staticDetails: details,
    });
    run.runId = child.firstExecutionRunId;
    takeResult(run, await resultWithin(child, stage.within));
  } catch (error) {
    Object.assign(run, verdictOf(error), { endedAt: stamp() });
    if (CancellationScope.current().consideredCancelled) throw error;
  } finally {
    note(story, `${name} ended ${run.verdict}: ${run.reason}`, stage.name);
  }
  return lackOf(run, stage.environment.name);
}

/** The result of a run. One that is not over in time is asked to stop, and its clean-up is not waited for. */
async function resultWithin(
  child: ChildWorkflowHandle<() => Promise<ChaosResult>>,
  within: string,
): Promise<ChaosResult> {
  const result = child.result();
  let over = false;
  const ended = () => {
    over = true;
  };
  result.then(ended, ended);
  // A cancel is the run's to answer, by its clean-up.
  const inTime = await CancellationScope.nonCancellable(() =>
    condition(() => over, millisecondsOf(within), {
      summary: shortLine(`until ${child.workflowId} has to be over`),
    }),
  );
  if (inTime) return await result;
  await getExternalWorkflowHandle(child.workflowId).cancel();
  throw ApplicationFailure.nonRetryable(`not over within ${within}, and asked to stop`);
}

function takeResult(run: PromotionRun, result: ChaosResult): void {
  const { verdict, reasons, endedAt, experiment, lines = [] } = result;
  const regression = lines.find(({ id }) => id === 'regression');
  Object.assign(run, {
    verdict,
    reason: reasons[0] ?? '',
    endedAt,
    ...(experiment?.environment ? { environment: experiment.environment } : {}),
    ...(regression?.outcome === 'not met' ? { worse: regression.because.join('; ') } : {}),
  });
}

/** A run with verdict Error is a failed one, and one that somebody stopped a canceled one. */
function verdictOf(error: unknown): Pick<PromotionRun, 'verdict' | 'reason'> {
  const cause = error instanceof ChildWorkflowFailure ? error.cause : error;
  const reason = cause instanceof Error ? cause.message : String(cause);
  if (cause instanceof CancelledFailure) return { verdict: 'Stopped', reason: 'the run was stopped' };
  if (cause instanceof ApplicationFailure)
    return { verdict: 'Error', reason: reason.replace(/^Error: /, '') };
  return { verdict: 'Error', reason };
}

function lackOf(run: PromotionRun, environment: string | undefined): string | undefined {
  const { experiment, verdict, reason, purpose, worse } = run;
  if (verdict !== 'Pass') return `${experiment} ended ${verdict}: ${reason}`;
  if (environment !== undefined && run.environment !== environment)
    return `${experiment} ran in environment ${run.environment ?? 'of no name'}, not in ${environment}`;
  return purpose === 'soak' && worse ? `${experiment} got worse: ${worse}` : undefined;
}
