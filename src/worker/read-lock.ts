import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { type Lock, lockMemo, lockOf, lockWorkflowId } from '../experiment/lock.ts';

/** A kill waits for the answer: so long at most. ms */
const patienceMs = 2_000;

/**
 * The lock of the client's Temporal namespace as it is now; undefined where nobody has locked. Asked of the workflow itself, not of
 * visibility, which lags. Throws where Temporal cannot be asked.
 */
export async function readLock(client: Client): Promise<Lock | undefined> {
  try {
    const handle = client.workflow.getHandle(lockWorkflowId);
    const described = await client.withDeadline(Date.now() + patienceMs, () => handle.describe());
    const { status, memo, startTime } = described;
    return status.name === 'RUNNING' ? lockOf(memo?.[lockMemo], startTime) : undefined;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}
