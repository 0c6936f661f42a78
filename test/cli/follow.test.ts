import { expect, test } from 'vitest';
import { followRun, readRun } from '../../src/cli/history/follow.ts';
import {
  accessTo,
  activityEvents,
  completedEvent,
  fakeTemporal,
  grpcError,
  rawHistory,
  startedEvent,
} from './fake-temporal.ts';

const workflowId = 'leader';

test('a run that went on as new while the connection was lost is followed to its end, each event once', async () => {
  const first = [startedEvent, ...activityEvents(2, 'resolve', {}), ...activityEvents(4, 'provision', {})];
  const temporal = fakeTemporal('kafkaBrokerFailure', { a: rawHistory(...first) });
  const ended = new AbortController();
  let lostAt: number | undefined;
  temporal.before = (read) => {
    // A busy loop is a failure too.
    if (read > 50) ended.abort();
    // The search for earlier histories, and the page that is there.
    if (read !== 3) return;
    lostAt = read;
    const gone = { workflowExecutionContinuedAsNewEventAttributes: { newExecutionRunId: 'b' } };
    temporal.runs.set('a', rawHistory(...first, gone));
    // Shorter than what was seen of the one before.
    const continuedExecutionRunId = 'a';
    const begun = { workflowExecutionStartedEventAttributes: { continuedExecutionRunId } };
    temporal.runs.set('b', rawHistory(begun, ...activityEvents(2, 'cleanUp', {}), completedEvent));
    throw grpcError(14, 'the connection is gone');
  };
  const lost: string[] = [];
  const told: string[] = [];
  const options = { signal: ended.signal, lost: (message: string) => lost.push(message) };
  for await (const event of followRun(accessTo(temporal), { workflowId }, options))
    told.push('activity' in event ? `${event.kind} ${event.activity}` : event.kind);
  expect(lostAt).toBe(3);
  expect(lost).toEqual(['the connection is gone']);
  expect(told).toEqual([
    ...['started', 'scheduled resolve', 'completed resolve', 'scheduled provision', 'completed provision'],
    ...['closed', 'started', 'scheduled cleanUp', 'completed cleanUp', 'closed'],
  ]);
});

test.each([
  ['promotion', 'leaderfall promote status leader'],
  ['janitor', 'leaderfall list'],
])('a workflow of type %s is no run to be read', async (type, next) => {
  const temporal = fakeTemporal(type, { a: rawHistory(startedEvent, completedEvent) });
  const { signal } = new AbortController();
  for (const read of [
    () => readRun(accessTo(temporal), { workflowId }),
    async () => {
      for await (const _ of followRun(accessTo(temporal), { workflowId }, { signal })) expect.unreachable();
    },
  ]) {
    await expect(read()).rejects.toMatchObject({
      problem: {
        code: 'INPUT_INVALID',
        message: `leader is no run but a workflow of type ${type}`,
        next: expect.stringContaining(next),
      },
    });
  }
});
