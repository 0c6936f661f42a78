import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import { LeaderfallError, problem } from '../../experiment/errors.ts';
import { parsePromotion } from '../../experiment/promotion/promotion.ts';
import type { PromotionRecord } from '../../experiment/promotion/record.ts';
import { shortLine } from '../../experiment/short-line.ts';
import { messageOf, type TemporalAccess } from '../connect-temporal.ts';
import { followRun, type RunRef, readRun } from '../history/follow.ts';
import { defaultTaskQueue, newWorkflowId } from '../start-run.ts';
import { afterSeconds, insist } from '../time-limit.ts';

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
): Promise<{ workflowId: string; runId: string }> {
  const { name, subject, stages } = parsePromotion(input);
  const workflowId = options.workflowId ?? newWorkflowId(name, new Date());
  try {
    const handle = await client.workflow.start('promotion', {
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
    return { workflowId, runId: handle.firstExecutionRunId };
  } catch (cause) {
    if (!(cause instanceof WorkflowExecutionAlreadyStartedError)) throw cause;
    throw problem('INPUT_INVALID', `a promotion with workflow id ${workflowId} is under way`, {
      next: `leaderfall promote status ${workflowId}, or choose another --workflow-id.`,
      cause,
    });
  }
}

/** How the end of a promotion is waited for. */
export interface WaitOptions {
  /** It is stopped when it has not ended after so many seconds. */
  timeoutSeconds?: number;
  /** Told what a person should know who waits. */
  say: (text: string) => void;
}

/**
 * Waits until a promotion has closed, however it ended, and gives its record. A server that is away is waited out, and the time limit
 * holds meanwhile. Throws what {@link readPromotion} throws; TEMPORAL_UNREACHABLE for an answer that no waiting mends.
 */
export async function promotionEnd(
  access: TemporalAccess,
  workflowId: string,
  { timeoutSeconds, say }: WaitOptions,
): Promise<PromotionRecord> {
  const over = new AbortController();
  const { signal } = over;
  const failed = (error: unknown) =>
    say(`the stop did not reach Temporal, trying again: ${messageOf(error)}`);
  const lost = (message: string) => say(`no answer of Temporal, trying again: ${message}`);
  const reason = `not over after ${timeoutSeconds} s`;
  const callOff = afterSeconds(timeoutSeconds, () => {
    void insist(() => stopUnlessOver(access, workflowId, reason), { signal, failed });
  });
  try {
    for (;;) {
      // One that was reset from outside goes on in another run.
      const { runId, status } = await describePromotion(access, workflowId);
      const run: RunRef = { workflowId, runId, type: 'promotion' };
      if (status.name !== 'RUNNING') return await keptRecord(access, run, status.name);
      for await (const _ of followRun(access, run, { signal, lost })) {
        // What has happened is in the record.
      }
    }
  } finally {
    callOff();
    over.abort();
  }
}

/** Nobody has to be told that a promotion ended just in time. */
async function stopUnlessOver(access: TemporalAccess, workflowId: string, reason: string): Promise<void> {
  await stopPromotion(access, workflowId, { reason }).catch((error: unknown) => {
    if (!(error instanceof LeaderfallError)) throw error;
  });
}

/** Asks a promotion to stop; its worker may be away. Throws INPUT_INVALID where none of that id is under way. */
export async function stopPromotion(
  access: TemporalAccess,
  workflowId: string,
  { reason, actor = process.env.USER }: { reason?: string; actor?: string },
): Promise<void> {
  // Temporal takes a cancel of a closed workflow without a word.
  const { status } = await describePromotion(access, workflowId);
  if (status.name !== 'RUNNING')
    throw problem('INPUT_INVALID', `promotion ${workflowId} is ${status.name.toLowerCase()} already`);
  const handle = access.client.workflow.getHandle(workflowId);
  // Only the promotion's own signal carries who and why.
  if (reason === undefined) await handle.cancel();
  else await handle.signal('stop', { reason, ...(actor ? { actor } : {}) });
}

/**
 * How a promotion stands, or ended. Throws INPUT_INVALID where there is none; its own problem where it could not begin; TIMED_OUT
 * where no worker answers for it.
 */
export async function readPromotion(access: TemporalAccess, workflowId: string): Promise<PromotionRecord> {
  const { runId, status } = await describePromotion(access, workflowId);
  if (status.name !== 'RUNNING')
    return await keptRecord(access, { workflowId, runId, type: 'promotion' }, status.name);
  const handle = access.client.workflow.getHandle(workflowId);
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

/** The record of a promotion that is closed, as it kept it; throws its own problem where it kept none. */
async function keptRecord(access: TemporalAccess, run: RunRef, status: string): Promise<PromotionRecord> {
  const events = await readRun(access, run);
  const kept = events.findLast((event) => event.kind === 'completed' && event.activity === 'keepRecord');
  if (kept?.kind === 'completed') return kept.result as PromotionRecord;
  const closed = events.findLast((event) => event.kind === 'closed');
  throw problem(
    closed?.problem?.code ?? 'INTERNAL',
    closed?.problem?.message ?? `the promotion was ${status.toLowerCase()} from outside and kept no record`,
    closed?.problem?.evidence ? { evidence: closed.problem.evidence } : {},
  );
}

/** A promotion as Temporal has it, the newest of that id. Throws INPUT_INVALID where there is none. */
async function describePromotion({ client }: TemporalAccess, workflowId: string) {
  const found = await client.workflow
    .getHandle(workflowId)
    .describe()
    .catch((cause: unknown) => {
      throw cause instanceof WorkflowNotFoundError ? notThere(workflowId, cause) : cause;
    });
  if (found.type !== 'promotion') throw notThere(workflowId);
  return found;
}

function notThere(workflowId: string, cause?: unknown) {
  return problem('INPUT_INVALID', `there is no promotion ${workflowId}`, { cause });
}
