import { setTimeout as delay } from 'node:timers/promises';
import { WorkflowNotFoundError } from '@temporalio/client';
import { problem } from '../../experiment/errors.ts';
import type { TemporalAccess } from '../connect-temporal.ts';
import { followRun, type RunRef } from '../history/follow.ts';
import { type RunEnd, resultFromHistory } from '../history/result-from-history.ts';
import type { RunEvent } from '../history/run-event.ts';
import { eventTeller } from './event-lines.ts';
import { pendingOf } from './pending.ts';
import { living, type Poller, pendingTeller } from './pending-lines.ts';
import type { Screen } from './screen.ts';

/** How often what the run waits for is looked at, ms. A describe is no billed Action. */
const lookMs = 1_000;

/**
 * Shows a run until it ends and gives its end; undefined where `signal` aborted first. Reads history by long poll and what is
 * pending by describe, so it needs no worker, and shows plainly when there is none.
 */
export async function watchRun(
  access: TemporalAccess,
  run: RunRef,
  screen: Screen,
  signal: AbortSignal,
): Promise<RunEnd | undefined> {
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  const looking = lookAtPending(access, run, screen, either);
  const events: RunEvent[] = [];
  const tell = eventTeller();
  const lost = (message: string) =>
    screen.line({
      at: Date.now(),
      step: 'temporal',
      text: `no answer, trying again: ${message}`,
      tone: 'bad',
    });
  try {
    for await (const event of followRun(access, run, { signal: either, lost })) {
      if (event.kind === 'started' && events.length === 0) screen.startedAt(event.at);
      events.push(event);
      for (const line of tell(event)) screen.line(line);
    }
  } finally {
    over.abort();
    await looking;
    screen.status(undefined, Date.now());
  }
  if (signal.aborted) return undefined;
  const end = resultFromHistory(events);
  if (!end) throw problem('INTERNAL', 'the history of a closed run shows no end');
  return end;
}

async function lookAtPending(
  access: TemporalAccess,
  run: RunRef,
  screen: Screen,
  signal: AbortSignal,
): Promise<void> {
  const tell = pendingTeller();
  const handle = access.client.workflow.getHandle(run.workflowId);
  for (;;) {
    try {
      await delay(lookMs, undefined, { signal });
      const look = () => handle.describe();
      const described = await access.connection.withDeadline(Date.now() + 5_000, look);
      const pending = await pendingOf(access.client, described);
      const waiting = new Set(pending.filter((one) => !one.taken).map((one) => one.taskQueue));
      const known = new Map<string, Poller[]>();
      for (const queue of waiting) known.set(queue, await pollersOf(access, queue));
      if (signal.aborted) return;
      const { lines, status } = tell(pending, Date.now(), (queue) => known.get(queue));
      for (const line of lines) screen.line(line);
      screen.status(status, Date.now());
    } catch (error) {
      if (signal.aborted) return;
      // What hinders this look hinders the reading of the history too, and that one tells the person.
      if (error instanceof WorkflowNotFoundError) return;
    }
  }
}

/** Workers that poll a task queue now. */
export async function livingPollersOf(access: TemporalAccess, taskQueue: string): Promise<Poller[]> {
  return living(await pollersOf(access, taskQueue), Date.now());
}

/** Workers seen at a task queue for workflow or activity tasks, those that have gone a few minutes ago included. */
export async function pollersOf(access: TemporalAccess, taskQueue: string): Promise<Poller[]> {
  const { client, connection, namespace } = access;
  // Both types: a queue that only one kind of worker polls still is served by somebody.
  const types = [1, 2];
  const answers = await connection.withDeadline(Date.now() + 5_000, () =>
    Promise.all(
      types.map((taskQueueType) =>
        client.workflowService.describeTaskQueue({
          namespace,
          taskQueue: { name: taskQueue },
          taskQueueType,
        }),
      ),
    ),
  );
  const newest = new Map<string, number>();
  for (const poller of answers.flatMap((answer) => answer.pollers ?? [])) {
    const identity = poller.identity ?? 'unknown';
    const lastSeen = Number(poller.lastAccessTime?.seconds ?? 0) * 1_000;
    newest.set(identity, Math.max(lastSeen, newest.get(identity) ?? 0));
  }
  return [...newest].map(([identity, lastSeen]) => ({ identity, lastSeen }));
}
