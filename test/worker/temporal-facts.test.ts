import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import { isRunClosed, registeredSearchAttributes, runOfHolder } from '../../src/worker/temporal-facts.ts';

type Describe = (request: {
  namespace: string;
  execution: { workflowId: string; runId: string };
}) => Promise<unknown>;

function client(describeWorkflowExecution: Describe): Client {
  return { workflowService: { describeWorkflowExecution } } as unknown as Client;
}

const status = (number: number) => async () => ({ workflowExecutionInfo: { status: number } });

/** A gRPC error as the client library makes it. */
function grpcError(code: number, details: string): Error {
  return Object.assign(new Error(`${code}: ${details}`), { code, details, metadata: {} });
}

describe('the holder of a claim', () => {
  it('is read from both ends, since a workflow id may hold slashes', () => {
    expect(runOfHolder('default/chaos/kafka/prod/run-1')).toEqual({
      namespace: 'default',
      workflowId: 'chaos/kafka/prod',
      runId: 'run-1',
    });
    expect(runOfHolder('somebody')).toBeUndefined();
  });

  it('is closed in every state but running', async () => {
    expect(await isRunClosed(client(status(1)), 'default/w/r')).toBe(false);
    expect(await isRunClosed(client(status(2)), 'default/w/r')).toBe(true);
  });

  it('is asked for in its own namespace', async () => {
    let asked = '';
    const answer: Describe = async ({ namespace }) => {
      asked = namespace;
      return { workflowExecutionInfo: { status: 1 } };
    };
    await isRunClosed(client(answer), 'other/w/r');
    expect(asked).toBe('other');
  });

  it('counts as closed when Temporal does not know the run', async () => {
    const lost: Describe = () => Promise.reject(new WorkflowNotFoundError('workflow not found', 'w', 'r'));
    expect(await isRunClosed(client(lost), 'default/w/r')).toBe(true);
    const unknown: Describe = () => Promise.reject(grpcError(5, 'workflow not found for ID: w'));
    expect(await isRunClosed(client(unknown), 'default/w/r')).toBe(true);
  });

  it('is taken as alive when its namespace belongs to another Temporal', async () => {
    const foreign: Describe = () => Promise.reject(grpcError(5, 'Namespace other is not found.'));
    expect(await isRunClosed(client(foreign), 'other/w/r')).toBe(false);
  });

  it('is never taken as closed on an error', async () => {
    const away: Describe = () => Promise.reject(grpcError(14, 'unavailable'));
    await expect(isRunClosed(client(away), 'default/w/r')).rejects.toThrow('unavailable');
  });
});

it('names only our search attributes that are registered with the right type', async () => {
  const operator = {
    listSearchAttributes: async () => ({
      customAttributes: { LeaderfallCluster: 2, LeaderfallVerdict: 1, Other: 2 },
    }),
  } as unknown as Parameters<typeof registeredSearchAttributes>[0];
  expect(await registeredSearchAttributes(operator, 'default')).toEqual(['LeaderfallCluster']);
});
