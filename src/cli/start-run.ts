import { randomBytes } from 'node:crypto';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { detailsOf, summaryOf } from '../experiment/describe.ts';
import { problem } from '../experiment/errors.ts';
import { parseExperiment } from '../experiment/parse.ts';
import type { TemporalAccess } from './connect-temporal.ts';

/** Task queue that worker and commands share where none is set. */
export const defaultTaskQueue = 'leaderfall';

/** How a run is started. */
export interface StartOptions {
  /** Default `<name>-<UTC time>-<random>`. */
  workflowId?: string;
  /** Default LEADERFALL_TASK_QUEUE, else `leaderfall`. */
  taskQueue?: string;
}

/** A run that Temporal has taken over. */
export interface StartedRun {
  workflowId: string;
  runId: string;
  taskQueue: string;
  notes: string[];
}

/**
 * Starts a run with the input as the person wrote it, a ChaosEngine included. The input is checked here first, so that a
 * mistake costs no run; the worker checks it again. Throws INPUT_INVALID; CLUSTER_CLAIMED where the workflow id runs already.
 */
export async function startRun(
  { client }: Pick<TemporalAccess, 'client'>,
  input: unknown,
  options: StartOptions = {},
): Promise<StartedRun> {
  const { experiment, notes } = parseExperiment(input);
  const workflowId = options.workflowId ?? newWorkflowId(experiment.name, new Date());
  const taskQueue = options.taskQueue ?? process.env.LEADERFALL_TASK_QUEUE ?? defaultTaskQueue;
  try {
    const handle = await client.workflow.start('kafkaBrokerFailure', {
      args: [input],
      workflowId,
      taskQueue,
      workflowIdConflictPolicy: 'FAIL',
      staticSummary: summaryOf(experiment),
      staticDetails: detailsOf(experiment),
    });
    return { workflowId, runId: handle.firstExecutionRunId, taskQueue, notes };
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    throw problem('CLUSTER_CLAIMED', `a run with workflow id ${workflowId} is under way`, {
      next: `leaderfall watch ${workflowId}, or choose another --workflow-id.`,
      cause: error,
    });
  }
}

/** `kafka-broker-failure-20261123-071500-3fa2`: sorts by time, never twice the same. */
export function newWorkflowId(name: string, now: Date): string {
  const stamp = now.toISOString().replaceAll(/[-:]/g, '').replace('T', '-').slice(0, 15);
  return `${name}-${stamp}-${randomBytes(2).toString('hex')}`;
}
