import type { Client } from '@temporalio/client';
import { expect, test } from 'vitest';
import { takeKill } from '../../src/worker/take-kill.ts';

/** A Temporal with one counter, whose first answer fails; what `onAsk` does to it may have been the cause. */
function temporal(onAsk: (counter: { runId: string; status: string }) => void) {
  let counter = { runId: 'first', status: 'RUNNING' };
  const asked: string[] = [];
  const client = {
    withDeadline: (_at: number, act: () => Promise<unknown>) => act(),
    workflow: {
      start: async () => {
        counter = { runId: 'second', status: 'RUNNING' };
      },
      getHandle: (_id: string, runId = '') => ({
        describe: async () => ({
          ...{ runId: counter.runId, taskQueue: 'own', status: { name: counter.status } },
        }),
        executeUpdate: async () => {
          asked.push(runId);
          if (runId === 'second') return { granted: true };
          onAsk(counter);
          throw new Error('no answer');
        },
      }),
    },
  } as unknown as Client;
  return { client, asked };
}

test('where the counter ends by itself while it is asked, the next one begins and is asked', async () => {
  const { client, asked } = temporal((counter) => {
    counter.status = 'COMPLETED';
  });
  expect(await takeKill(client, 'own', 'a#0', 3)).toEqual({ granted: true });
  expect(asked).toEqual(['first', 'second']);
});

test('a counter of the same task queue that goes on and does not answer is not asked again', async () => {
  const { client, asked } = temporal(() => {});
  await expect(takeKill(client, 'own', 'a#0', 3)).rejects.toThrow('no answer');
  expect(asked).toEqual(['first']);
});
