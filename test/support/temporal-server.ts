import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import type { ActivityDependencies } from '../../src/activities/dependencies.ts';
import { runState, temporalNamespaceId } from '../../src/worker/temporal-facts.ts';

/** What a worker on a Temporal server of its own finds out there: the server's namespace `default` has that id, and only those runs. */
export function temporalServer(
  id: string,
  runs: Record<string, 'running' | 'closed'> = {},
): Pick<ActivityDependencies, 'temporalNamespaceId' | 'runState' | 'ownerOfRun'> {
  const workflowService = {
    describeNamespace: async () => ({ namespaceInfo: { id } }),
    describeWorkflowExecution: async ({ execution: { workflowId = '', runId = '' } }) => {
      const known = runs[runId];
      if (!known) throw new WorkflowNotFoundError('workflow not found', workflowId, runId);
      return { workflowExecutionInfo: { status: known === 'running' ? 1 : 2 } };
    },
  };
  const client = { options: { namespace: 'default' }, workflowService } as unknown as Client;
  return {
    temporalNamespaceId: () => temporalNamespaceId(client),
    runState: (owner, namespaceId) => runState(client, owner, namespaceId),
    ownerOfRun: async () => undefined,
  };
}
