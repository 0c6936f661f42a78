import {
  isGrpcServiceError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { problem } from '../experiment/errors.ts';
import type { TemporalAccess } from './connect-temporal.ts';

/** How long a workflow's worker is given to answer. ms */
const patienceMs = 30_000;

/**
 * Sends an update and gives its answer. `status` is the command that shows the workflow. Throws REQUEST_REFUSED with the
 * workflow's reason, INPUT_INVALID where it is not under way, TIMED_OUT.
 */
export async function sendRequest(
  { client }: Pick<TemporalAccess, 'client'>,
  workflowId: string,
  request: string,
  input: object,
  status = 'leaderfall status',
): Promise<string> {
  try {
    return await client.withDeadline(Date.now() + patienceMs, () =>
      client.workflow.getHandle(workflowId).executeUpdate<string, [object]>(request, { args: [input] }),
    );
  } catch (cause) {
    if (cause instanceof WorkflowUpdateFailedError) {
      throw problem('REQUEST_REFUSED', `${request}: ${cause.cause?.message ?? cause.message}`, {
        next: `${status} ${workflowId}`,
        cause,
      });
    }
    const closed = isGrpcServiceError(cause) && /already completed/i.test(cause.details);
    if (cause instanceof WorkflowNotFoundError || closed) {
      throw problem('INPUT_INVALID', `no run ${workflowId} is under way`, {
        next: 'leaderfall list shows the runs.',
        cause,
      });
    }
    if (!(cause instanceof WorkflowUpdateRPCTimeoutOrCancelledError)) throw cause;
    throw problem('TIMED_OUT', `the run did not answer within ${patienceMs / 1_000} s`, {
      next: 'leaderfall doctor tells whether a worker is there; the request may still be carried out when one comes.',
      cause,
    });
  }
}
