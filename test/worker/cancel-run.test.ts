import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { expect, test } from 'vitest';
import { cancelRun } from '../../src/worker/temporal-facts.ts';

const run = { temporalNamespace: 'default', workflowId: 'w', runId: 'first' };

/** A Temporal in which some ways of naming a run find one that is open; gives the ways that were tried. */
async function tried(open: string[]): Promise<string[]> {
  const ways: string[] = [];
  const getHandle = (_id: string, runId?: string, options?: { firstExecutionRunId?: string }) => ({
    cancel: async () => {
      const way = runId ? `run ${runId}` : `went on from ${options?.firstExecutionRunId}`;
      ways.push(way);
      if (!open.includes(way)) throw new WorkflowNotFoundError('over', 'w', runId);
    },
  });
  await cancelRun({ workflow: { getHandle } } as unknown as Client, run);
  return ways;
}

test('a run is cancelled by its own id, and where that history is over, wherever it went on; never another run', async () => {
  expect(await tried(['run first'])).toEqual(['run first']);
  expect(await tried(['went on from first'])).toEqual(['run first', 'went on from first']);
  expect(await tried([])).toEqual(['run first', 'went on from first']);
});
