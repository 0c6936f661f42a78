import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import {
  type AskedKill,
  killBudgetId,
  type Taken,
  type TakenKill,
  takeKillUpdate,
} from '../experiment/kill-budget.ts';
import { countedKills } from './counted-kills.ts';

/** A kill waits for the answer: so long at most. ms */
const patienceMs = 10_000;

/** The same where workers of another task queue count: they may be gone for good. ms */
const elsewhereMs = 4_000;

/** The newest workflow that counts the kills of a Temporal namespace. */
interface Counter {
  runId: string;
  status: string;
  taskQueue: string;
}

/** Counters that end while they are asked: so many at most. */
const mostCounters = 5;

/**
 * Asks the workflow that counts the kills of the client's Temporal namespace. Where none does, one begins on the asker's task queue.
 * One that does not answer and is another queue's is ended, and its count goes on here: nobody is held by workers that are gone.
 * Ending it is safe also where they are only slow, for what it has granted is in its history, and it grants nothing any more. Throws
 * where nobody answers in time.
 */
export async function takeKill(
  client: Client,
  taskQueue: string,
  key: string,
  perHour: number,
): Promise<Taken> {
  for (let tried = 0; tried < mostCounters; ) {
    const counter = await newestCounter(client);
    if (counter?.status !== 'RUNNING') {
      await begin(client, taskQueue, counter);
      continue;
    }
    tried++;
    const own = counter.taskQueue === taskQueue;
    try {
      return await ask(client, counter, { key, perHour }, own ? patienceMs : elsewhereMs);
    } catch (error) {
      // It may have ended by itself, or whoever was quicker has ended it: then the next one is asked.
      const now = own ? await newestCounter(client) : undefined;
      if (now?.runId === counter.runId && now.status === 'RUNNING') throw error;
      if (!own) await end(client, counter);
    }
  }
  throw new Error('the counts of kills end one after the other');
}

/** Exactly this one: a question that a start goes with could begin another one, without what this one has granted. */
async function ask(client: Client, { runId }: Counter, asked: AskedKill, withinMs: number): Promise<Taken> {
  const handle = client.workflow.getHandle(killBudgetId, runId);
  return await client.withDeadline(Date.now() + withinMs, () =>
    handle.executeUpdate<Taken, [AskedKill]>(takeKillUpdate, { args: [asked] }),
  );
}

async function begin(client: Client, taskQueue: string, former: Counter | undefined): Promise<void> {
  await client.withDeadline(Date.now() + patienceMs, async () =>
    client.workflow.start<(before: TakenKill[]) => Promise<void>>('killBudget', {
      workflowId: killBudgetId,
      taskQueue,
      args: [await leftBy(client, former)],
      workflowIdConflictPolicy: 'USE_EXISTING',
    }),
  );
}

/** What the next counter has to begin with. One that ended by itself had nothing left to count. */
async function leftBy(client: Client, counter: Counter | undefined): Promise<TakenKill[]> {
  if (!counter || counter.status === 'COMPLETED') return [];
  return await countedKills(client, counter.runId);
}

async function newestCounter(client: Client): Promise<Counter | undefined> {
  try {
    const handle = client.workflow.getHandle(killBudgetId);
    const described = await client.withDeadline(Date.now() + patienceMs, () => handle.describe());
    const { runId, taskQueue, status } = described;
    return { runId, taskQueue, status: status.name };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

/** Ends exactly this one; another asker may have been quicker. */
async function end(client: Client, { runId, taskQueue }: Counter): Promise<void> {
  const handle = client.workflow.getHandle(killBudgetId, runId);
  const reason = `no worker of task queue ${taskQueue} answers; the count goes on elsewhere`;
  try {
    await client.withDeadline(Date.now() + patienceMs, () => handle.terminate(reason));
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}
