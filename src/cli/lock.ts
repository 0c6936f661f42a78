import { type Client, WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import { type Lock, lockMemo, lockText, lockWorkflowId } from '../experiment/lock.ts';
import { shortLine } from '../experiment/short-line.ts';
import type { Asked } from '../experiment/steering.ts';
import { readLock } from '../worker/read-lock.ts';

/** No worker polls it: the lock needs none to hold. */
const lockQueue = 'leaderfall-lock';

/**
 * Locks. `replace`: in the place of a lock that is there, in one step; else that one stays and undefined is given. Gives a function that
 * takes just this lock away.
 */
export async function placeLock(
  { workflow }: Client,
  asked: Asked,
  replace: boolean,
): Promise<((why: string) => Promise<void>) | undefined> {
  const lock: Lock = { ...asked, since: new Date().toISOString() };
  try {
    const { firstExecutionRunId } = await workflow.start('lock', {
      workflowId: lockWorkflowId,
      taskQueue: lockQueue,
      workflowIdConflictPolicy: replace ? 'TERMINATE_EXISTING' : 'FAIL',
      args: [],
      memo: { [lockMemo]: asked },
      staticSummary: shortLine(lockText(lock)),
      staticDetails:
        'While this workflow goes on, no run may begin and none may kill. `leaderfall unlock` ends it.',
    });
    return (why) => unlessOver(workflow.getHandle(lockWorkflowId, firstExecutionRunId).terminate(why));
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return undefined;
    throw error;
  }
}

/** Takes the lock away and gives it; undefined where there was none. */
export async function removeLock(client: Client, { actor, reason }: Asked): Promise<Lock | undefined> {
  const lock = await readLock(client);
  if (!lock) return undefined;
  await unlessOver(client.workflow.getHandle(lockWorkflowId).terminate(`unlocked by ${actor}: ${reason}`));
  return lock;
}

/** What is over already is as it was to be. */
export async function unlessOver(request: Promise<unknown>): Promise<void> {
  try {
    await request;
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}
