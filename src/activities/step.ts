import { ApplicationFailure, Context } from '@temporalio/activity';
import { CancelledFailure } from '@temporalio/common';
import { problem } from '../experiment/errors.ts';
import type { RunIdentity } from '../experiment/identity.ts';
import type { Step } from '../experiment/result.ts';
import { errorWithoutHosts, problemWithoutHosts, withoutHosts } from '../experiment/without-hosts.ts';
import type { Progress } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';

/**
 * A step that has had nothing to say for this part of its heartbeat time-out lets the server know that it lives. Each beat is
 * billed; one may be lost or late without the step being taken for dead.
 */
const pulseOfTimeout = 0.4;

/** The first text is sent after this: a step that is over by then needs none. ms */
const firstBeatMs = 500;

/** What a step may use of the activity it runs in. */
export interface StepContext {
  /** From 1. */
  attempt: number;
  /** When the first attempt was due, epoch ms by Temporal's clock. */
  scheduledAt: number;
  /** Aborts on cancellation and on the worker's shutdown. */
  signal: AbortSignal;
  /** Shows texts to the person: the first almost at once, later ones with the next beat, for each beat is billed. */
  progress(lines: string[]): void;
  /** What every beat tells besides the texts, as plain data under names of its own, for whoever tries the step again. */
  carry(what: () => object): void;
  /** What the last beat of the attempt before told. */
  carried: Record<string, unknown>;
}

/** The workflow that the step is of. */
export function currentRun(): RunIdentity {
  const { namespace: temporalNamespace, workflowExecution } = Context.current().info;
  if (!workflowExecution) throw problem('INTERNAL', 'this activity runs only inside a workflow');
  const { workflowId, runId } = workflowExecution;
  return { temporalNamespace, workflowId, runId };
}

/** The same with the id of its Temporal namespace, for what is marked as its own. */
export async function markedRun({
  temporalNamespaceId,
}: Pick<ActivityDependencies, 'temporalNamespaceId'>): Promise<RunIdentity> {
  const id = await temporalNamespaceId();
  return { ...currentRun(), ...(id ? { temporalNamespaceId: id } : {}) };
}

/**
 * Runs one step: keeps the heartbeat going, shows its progress, and turns every error into an ApplicationFailure whose type is
 * the error code, whose first detail is the Problem, and which is retried only where that can help. Hosts go into neither.
 * `about`: what else the run has to know where the step fails, as the second detail.
 */
export async function runStep<T>(
  step: Step,
  work: (context: StepContext) => Promise<T>,
  about?: () => Promise<unknown>,
): Promise<T> {
  const context = Context.current();
  const { attempt, heartbeatTimeoutMs, scheduledTimestampMs: scheduledAt } = context.info;
  let lines: string[] = [];
  let first: NodeJS.Timeout | undefined;
  let carries = () => ({});
  const beat = () => context.heartbeat({ ...carries(), step, lines } satisfies Progress);
  const pulse = setInterval(beat, (heartbeatTimeoutMs || 10_000) * pulseOfTimeout);
  try {
    return await work({
      attempt,
      scheduledAt,
      signal: context.cancellationSignal,
      progress: (said) => {
        lines = said.map(withoutHosts);
        first ??= setTimeout(beat, firstBeatMs);
      },
      carry: (what) => {
        carries = what;
      },
      carried: (context.info.heartbeatDetails as Record<string, unknown> | null | undefined) ?? {},
    });
  } catch (error) {
    // A step that stops because it was told to must say so in Temporal's own words.
    if (context.cancellationSignal.aborted) {
      throw await context.cancelled.catch((cancelled: unknown) => cancelled);
    }
    if (error instanceof CancelledFailure || error instanceof ApplicationFailure) throw error;
    const found = problemWithoutHosts(error, step);
    throw ApplicationFailure.create({
      type: found.code,
      message: found.message,
      nonRetryable: !found.retryable,
      details: [found, ...(about ? [await about()] : [])],
      cause: error instanceof Error ? errorWithoutHosts(error) : undefined,
    });
  } finally {
    clearInterval(pulse);
    clearTimeout(first);
  }
}
