import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import {
  registeredSearchAttributes,
  runState,
  temporalNamespaceId,
} from '../../src/worker/temporal-facts.ts';

type Describe = (request: {
  namespace: string;
  execution: { workflowId: string; runId?: string };
}) => Promise<unknown>;

function client(describeWorkflowExecution: Describe, namespace?: () => Promise<object>): Client {
  const describeNamespace = namespace ?? (() => Promise.reject(new Error('nobody should ask')));
  return {
    options: { namespace: 'default' },
    workflowService: { describeWorkflowExecution, describeNamespace },
  } as unknown as Client;
}

const withId = (id: string) => async () => ({ namespaceInfo: { id } });

const status = (number: number) => async () => ({ workflowExecutionInfo: { status: number } });

/** A gRPC error as the client library makes it. */
function grpcError(code: number, details: string): Error {
  return Object.assign(new Error(`${code}: ${details}`), { code, details, metadata: {} });
}

describe('the holder of a claim', () => {
  it('is over in every state but running', async () => {
    expect(await runState(client(status(1)), 'default/w/r')).toBe('running');
    expect(await runState(client(status(2)), 'default/w/r')).toBe('over');
  });

  it('goes on where it was reset or continued as new, even when its first execution is forgotten', async () => {
    const latest = (firstRunId: string, status: number, first: () => Promise<unknown>) =>
      client(({ execution }) =>
        execution.runId ? first() : Promise.resolve({ workflowExecutionInfo: { status, firstRunId } }),
      );
    const forgotten = () => Promise.reject(new WorkflowNotFoundError('workflow not found', 'w', 'r'));
    expect(await runState(latest('r', 1, status(6)), 'default/w/r')).toBe('running');
    expect(await runState(latest('r', 1, forgotten), 'default/w/r')).toBe('running');
    expect(await runState(latest('r', 2, status(6)), 'default/w/r')).toBe('over');
    // A later run of the same workflow id is another run.
    expect(await runState(latest('other', 1, status(2)), 'default/w/r')).toBe('over');
  });

  it('is asked for in its own namespace', async () => {
    let asked = '';
    const answer: Describe = async ({ namespace }) => {
      asked = namespace;
      return { workflowExecutionInfo: { status: 1 } };
    };
    await runState(client(answer), 'other/w/r');
    expect(asked).toBe('other');
  });

  it('counts as over when Temporal does not know the run', async () => {
    const lost: Describe = () => Promise.reject(new WorkflowNotFoundError('workflow not found', 'w', 'r'));
    expect(await runState(client(lost), 'default/w/r')).toBe('over');
    const unknown: Describe = () => Promise.reject(grpcError(5, 'workflow not found for ID: w'));
    expect(await runState(client(unknown), 'default/w/r')).toBe('over');
  });

  it('is elsewhere when its namespace belongs to another Temporal', async () => {
    const foreign: Describe = () => Promise.reject(grpcError(5, 'Namespace other is not found.'));
    expect(await runState(client(foreign), 'other/w/r')).toBe('elsewhere');
    const told = Object.assign(new Error('Namespace other is not found.'), {
      code: 5,
      details: '',
      metadata: {},
    });
    expect(
      await runState(
        client(() => Promise.reject(told)),
        'other/w/r',
      ),
    ).toBe('elsewhere');
  });

  it('is elsewhere when the namespace of that name has another id, and over when it has the same', async () => {
    const lost: Describe = () => Promise.reject(new WorkflowNotFoundError('workflow not found', 'w', 'r'));
    expect(await runState(client(lost, withId('bob')), 'default/w/r', 'ann')).toBe('elsewhere');
    expect(await runState(client(lost, withId('ann')), 'default/w/r', 'ann')).toBe('over');
    // A server that tells no id has given none.
    expect(await runState(client(lost, withId('')), 'default/w/r', 'ann')).toBe('elsewhere');
    // Whoever knows the run is its server; run ids are unique.
    expect(await runState(client(status(2)), 'default/w/r', 'ann')).toBe('over');
    expect(await runState(client(status(1)), 'default/w/r', 'ann')).toBe('running');
    const refused = () => Promise.reject(grpcError(7, 'denied'));
    await expect(runState(client(lost, refused), 'default/w/r', 'ann')).rejects.toThrow('denied');
  });

  it('is never taken as over on an error', async () => {
    const away: Describe = () => Promise.reject(grpcError(14, 'unavailable'));
    await expect(runState(client(away), 'default/w/r')).rejects.toThrow('unavailable');
  });
});

it('learns the id of its own namespace, where the server has one', async () => {
  expect(await temporalNamespaceId(client(status(1), withId('ann')))).toBe('ann');
  expect(await temporalNamespaceId(client(status(1), withId('')))).toBeUndefined();
});

it('names only our search attributes that are registered with the right type', async () => {
  const operator = {
    listSearchAttributes: async () => ({
      customAttributes: { LeaderfallCluster: 2, LeaderfallVerdict: 1, Other: 2 },
    }),
  } as unknown as Parameters<typeof registeredSearchAttributes>[0];
  expect(await registeredSearchAttributes(operator, 'default')).toEqual(['LeaderfallCluster']);
});
