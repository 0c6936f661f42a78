import { type Client, isGrpcServiceError, WorkflowNotFoundError } from '@temporalio/client';
import type { NativeConnection } from '@temporalio/worker';
import type { RunIdentity } from '../experiment/identity.ts';
import { compareRegistered, type SearchAttributeName } from '../experiment/search-attributes.ts';

/** gRPC status. */
const notFound = 5;

/** A run by its parts, out of `<temporal namespace>/<workflow id>/<run id>`; a workflow id may hold slashes itself. */
export function runOfHolder(
  holder: string,
): { namespace: string; workflowId: string; runId: string } | undefined {
  const [namespace, ...rest] = holder.split('/');
  const runId = rest.pop();
  const workflowId = rest.join('/');
  return namespace && workflowId && runId ? { namespace, workflowId, runId } : undefined;
}

/**
 * Whether a run is closed or unknown to Temporal. Anything but a clear answer throws, so that a claim is never taken from a
 * run that may be alive. A run of another namespace is asked for there.
 */
export async function isRunClosed(client: Client, holder: string): Promise<boolean> {
  const run = runOfHolder(holder);
  if (!run) return true;
  const { namespace, workflowId, runId } = run;
  try {
    const { workflowExecutionInfo } = await client.workflowService.describeWorkflowExecution({
      namespace,
      execution: { workflowId, runId },
    });
    // WorkflowExecutionStatus RUNNING
    return Number(workflowExecutionInfo?.status) !== 1;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return true;
    if (!isGrpcServiceError(error) || error.code !== notFound) throw error;
    // A namespace that is not here belongs to another Temporal, where the run may well be alive.
    return !/namespace/i.test(error.details);
  }
}

/** Asks Temporal to cancel a run; one that is closed or unknown is left as it is. */
export async function cancelRun(client: Client, { workflowId, runId }: RunIdentity): Promise<void> {
  try {
    await client.workflow.getHandle(workflowId, runId).cancel();
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}

/** Which of our search attributes are registered, with their types, in a namespace. */
export async function registeredSearchAttributes(
  operatorService: NativeConnection['operatorService'],
  namespace: string,
): Promise<SearchAttributeName[]> {
  const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
  return compareRegistered(customAttributes ?? {}).present;
}
