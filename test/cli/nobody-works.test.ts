import { expect, test } from 'vitest';
import { sayWhereNobodyWorks } from '../../src/cli/commands/janitor.ts';
import type { TemporalAccess } from '../../src/cli/connect-temporal.ts';

/** What the janitor says where a worker was last seen so many seconds ago. */
async function said(secondsAgo: number, ended = new AbortController().signal): Promise<string[]> {
  const seconds = Math.floor(Date.now() / 1_000) - secondsAgo;
  const answer = { pollers: [{ identity: 'a worker', lastAccessTime: { seconds } }] };
  const access = {
    namespace: 'default',
    client: { workflowService: { describeTaskQueue: async () => answer } },
    connection: { withDeadline: (_at: number, act: () => Promise<unknown>) => act() },
  } as unknown as TemporalAccess;
  const texts: string[] = [];
  await sayWhereNobodyWorks(access, 'q', { ended, say: (text) => void texts.push(text), afterMs: 1 });
  return texts;
}

test('a janitor that waits for a worker says so, also where one has gone and Temporal still lists it', async () => {
  expect(await said(120)).toEqual(['No worker polls task queue q; start one: leaderfall worker']);
  expect(await said(5)).toEqual([]);
});

test('it has nothing to say once its round has ended', async () => {
  expect(await said(120, AbortSignal.abort())).toEqual([]);
});
