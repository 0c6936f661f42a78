import { type Client, isGrpcServiceError, WorkflowNotFoundError } from '@temporalio/client';
import type { NativeConnection } from '@temporalio/worker';
import type { RunState } from '../activities/dependencies.ts';
import { ownerOf, type RunIdentity, runOfOwner } from '../experiment/identity.ts';
import type { PromotionRecord } from '../experiment/promotion/record.ts';
import { compareRegistered, type SearchAttributeName } from '../experiment/search-attributes.ts';

/** gRPC status. */
const notFound = 5;

/** WorkflowExecutionStatus. */
const running = 1;

/**
 * Whether a run goes on, by the Temporal namespace that its holder names. Over is also what Temporal does not know (any more); a run
 * that was reset or continued as new goes on under the run id of its first execution. `elsewhere`: that namespace is not here, or the
 * one of that name has another id than `namespaceId`, the holder's, where that is known.
 * Anything but a clear answer throws, so that nothing is ever taken from a run that may be alive.
 */
export async function runState(client: Client, holder: string, namespaceId?: string): Promise<RunState> {
  const run = runOfOwner(holder);
  if (!run) return 'over';
  const { temporalNamespace: namespace, workflowId, runId } = run;
  const own = await described(client, namespace, { workflowId, runId });
  if (own === 'elsewhere') return own;
  if (Number(own?.status) === running) return 'running';
  const latest = await described(client, namespace, { workflowId });
  if (latest === 'elsewhere') return latest;
  if (Number(latest?.status) === running && latest?.firstRunId === runId) return 'running';
  if (own || namespaceId === undefined) return 'over';
  // Another server may have a namespace of that name, and the run in it.
  return (await idOf(client, namespace)) === namespaceId ? 'over' : 'elsewhere';
}

/** Undefined where Temporal does not know it. */
async function described(
  { workflowService }: Client,
  namespace: string,
  execution: { workflowId: string; runId?: string },
) {
  try {
    return (await workflowService.describeWorkflowExecution({ namespace, execution })).workflowExecutionInfo;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    if (!isGrpcServiceError(error) || error.code !== notFound) throw error;
    // A namespace that is not here belongs to another Temporal, where the run may well be alive. A worker's connection fills in
    // no details; the message says it on every connection.
    return /namespace \S+ is not found/i.test(error.message) ? 'elsewhere' : undefined;
  }
}

/** Id of this client's namespace, which its server made up; undefined where the server has none. Throws where it is not told. */
export async function temporalNamespaceId(client: Client): Promise<string | undefined> {
  return await idOf(client, client.options.namespace);
}

async function idOf({ workflowService }: Client, namespace: string): Promise<string | undefined> {
  const { namespaceInfo } = await workflowService.describeNamespace({ namespace });
  return namespaceInfo?.id || undefined;
}

/** The holder of a run that only its run id is known of, as far as visibility in this client's namespace knows it. */
export async function holderOf({ workflow, options }: Client, runId: string): Promise<string | undefined> {
  for await (const { workflowId } of workflow.list({ query: `RunId = "${runId}"` }))
    return ownerOf({ temporalNamespace: options.namespace, workflowId, runId });
  return undefined;
}

/** Asks Temporal to cancel a run, wherever it goes on; one that is over or unknown is left as it is. */
export async function cancelRun(client: Client, { workflowId, runId }: RunIdentity): Promise<void> {
  const { workflow } = client;
  const itself = workflow.getHandle(workflowId, runId);
  // A run that was continued as new goes on under a later run id, but never as another run of that workflow id.
  const wentOn = workflow.getHandle(workflowId, undefined, { firstExecutionRunId: runId });
  for (const handle of [itself, wentOn]) {
    try {
      await handle.cancel();
      return;
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
    }
  }
}

/** Pauses a schedule, with a note that says why. */
export async function pauseSchedule({ schedule }: Client, id: string, note: string): Promise<void> {
  await schedule.getHandle(id).pause(note);
}

/** The record of an ended promotion; undefined where there is none, or none yet. */
export async function findRecord(client: Client, workflowId: string): Promise<PromotionRecord | undefined> {
  const handle = client.workflow.getHandle(workflowId);
  try {
    const { status, type } = await handle.describe();
    return type === 'promotion' && status.name === 'COMPLETED' ? await handle.result() : undefined;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
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
