import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import { problem } from '../../experiment/errors.ts';
import { parsePromotion } from '../../experiment/promotion/promotion.ts';
import type { PromotionRecord } from '../../experiment/promotion/record.ts';
import { shortLine } from '../../experiment/short-line.ts';
import type { TemporalAccess } from '../connect-temporal.ts';
import { readRun } from '../history/follow.ts';
import { defaultTaskQueue, newWorkflowId } from '../start-run.ts';

/** How long a promotion's worker is given to say how it stands. ms */
const patienceMs = 20_000;

/** How a promotion is started. */
export interface StartOptions {
  workflowId?: string;
  taskQueue?: string;
}

/** Starts a promotion with an input that is checked here first. Throws INPUT_INVALID. */
export async function startPromotion(
  { client }: TemporalAccess,
  input: object,
  options: StartOptions,
): Promise<string> {
  const { name, subject, stages } = parsePromotion(input);
  const workflowId = options.workflowId ?? newWorkflowId(name, new Date());
  try {
    await client.workflow.start('promotion', {
      args: [input],
      workflowId,
      taskQueue: options.taskQueue ?? process.env.LEADERFALL_TASK_QUEUE ?? defaultTaskQueue,
      workflowIdConflictPolicy: 'FAIL',
      staticSummary: shortLine(`${subject} through ${stages.map((stage) => stage.name).join(', ')}`),
      staticDetails: stages
        .map(({ name: stage, environment, experiments, gates }) => {
          const kinds = gates.map(({ kind }) => kind).join(', ');
          return `- **${stage}**: ${experiments.length} experiments on task queue ${environment.taskQueue}; gates ${kinds}`;
        })
        .join('\n'),
    });
    return workflowId;
  } catch (cause) {
    if (!(cause instanceof WorkflowExecutionAlreadyStartedError)) throw cause;
    throw problem('INPUT_INVALID', `a promotion with workflow id ${workflowId} is under way`, {
      next: `leaderfall promote status ${workflowId}, or choose another --workflow-id.`,
      cause,
    });
  }
}

/** Waits until a promotion has closed, however it ended; stops it where that takes longer than `timeoutSeconds`. */
export async function promotionEnd(
  access: TemporalAccess,
  workflowId: string,
  timeoutSeconds?: number,
): Promise<void> {
  const stop = () =>
    stopPromotion(access, workflowId, { reason: `not over after ${timeoutSeconds} s` }).catch(
      (error: unknown) => process.stderr.write(`the stop did not reach Temporal: ${error}\n`),
    );
  const limit = timeoutSeconds === undefined ? undefined : setTimeout(stop, timeoutSeconds * 1_000);
  try {
    // How it ended is read from its history.
    await access.client.workflow.getHandle(workflowId).result();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) throw notThere(workflowId, error);
  } finally {
    clearTimeout(limit);
  }
}

/** Asks a promotion to stop; its worker may be away. Throws INPUT_INVALID where none of that id is under way. */
export async function stopPromotion(
  { client }: TemporalAccess,
  workflowId: string,
  { reason, actor = process.env.USER }: { reason?: string; actor?: string },
): Promise<void> {
  const handle = client.workflow.getHandle(workflowId);
  // Temporal takes a cancel of a closed workflow without a word.
  const { status, type } = await handle.describe().catch((cause: unknown) => {
    throw cause instanceof WorkflowNotFoundError ? notThere(workflowId, cause) : cause;
  });
  if (type !== 'promotion') throw notThere(workflowId);
  if (status.name !== 'RUNNING')
    throw problem('INPUT_INVALID', `promotion ${workflowId} is ${status.name.toLowerCase()} already`);
  // Only the promotion's own signal carries who and why.
  if (reason === undefined) await handle.cancel();
  else await handle.signal('stop', { reason, ...(actor ? { actor } : {}) });
}

/**
 * How a promotion stands, or ended. Throws INPUT_INVALID where there is none; its own problem where it could not begin; TIMED_OUT
 * where no worker answers for it.
 */
export async function readPromotion(access: TemporalAccess, workflowId: string): Promise<PromotionRecord> {
  const handle = access.client.workflow.getHandle(workflowId);
  const { status, type } = await handle.describe().catch((cause: unknown) => {
    throw cause instanceof WorkflowNotFoundError ? notThere(workflowId, cause) : cause;
  });
  if (type !== 'promotion') throw notThere(workflowId);
  if (status.name === 'RUNNING') {
    return await access.client
      .withDeadline(Date.now() + patienceMs, () => handle.query<PromotionRecord>('status'))
      .catch((cause: unknown) => {
        throw problem('TIMED_OUT', `no worker says how ${workflowId} stands`, {
          next: 'leaderfall doctor tells whether a worker is there; the promotion goes on when one comes.',
          retryable: true,
          cause,
        });
      });
  }
  const events = await readRun(access, { workflowId });
  const kept = events.findLast((event) => event.kind === 'completed' && event.activity === 'keepRecord');
  if (kept?.kind === 'completed') return kept.result as PromotionRecord;
  const closed = events.findLast((event) => event.kind === 'closed');
  throw problem(
    closed?.problem?.code ?? 'INTERNAL',
    closed?.problem?.message ??
      `the promotion was ${status.name.toLowerCase()} from outside and kept no record`,
    closed?.problem?.evidence ? { evidence: closed.problem.evidence } : {},
  );
}

function notThere(workflowId: string, cause?: unknown) {
  return problem('INPUT_INVALID', `there is no promotion ${workflowId}`, { cause });
}
