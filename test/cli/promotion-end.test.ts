import { expect, test } from 'vitest';
import { promotionEnd } from '../../src/cli/promote/promotions.ts';
import {
  accessTo,
  activityEvents,
  completedEvent,
  type FakeTemporal,
  fakeTemporal,
  grpcError,
  rawHistory,
  startedEvent,
} from './fake-temporal.ts';

const promoted = { outcome: 'Promoted' };
const over = rawHistory(startedEvent, ...activityEvents(2, 'keepRecord', promoted), completedEvent);
const terminated = { workflowExecutionTerminatedEventAttributes: {} };

/** A promotion that is under way and, after so many answers, has ended. */
function promotion(before: (read: number, temporal: FakeTemporal) => void): FakeTemporal {
  const temporal = fakeTemporal('promotion', { a: rawHistory(startedEvent) });
  temporal.before = (read) => before(read, temporal);
  return temporal;
}

async function endOf(temporal: FakeTemporal, timeoutSeconds?: number) {
  const said: string[] = [];
  const say = (text: string) => void said.push(text);
  const limit = timeoutSeconds === undefined ? {} : { timeoutSeconds };
  const record = await promotionEnd(accessTo(temporal), 'orders', { ...limit, say });
  return { record, said };
}

// 14: an outage that is longer than the client's own attempts. 13: nothing that it tries again.
test.each([14, 13])(
  'a promotion is waited for over a lost connection (gRPC status %i), to its end',
  async (code) => {
    const { record, said } = await endOf(
      promotion((read, temporal) => {
        if (read === 2 || read === 3) throw grpcError(code, 'gone');
        if (read > 5) temporal.runs.set('a', over);
      }),
    );
    expect(record).toEqual(promoted);
    expect(said).toEqual(['no answer of Temporal, trying again: gone']);
  },
);

test('an answer that no waiting mends is told, and is no end', async () => {
  const refused = promotion((read) => {
    if (read > 1) throw grpcError(7, 'no rights');
  });
  await expect(endOf(refused)).rejects.toMatchObject({
    problem: { code: 'TEMPORAL_UNREACHABLE', evidence: ['no rights'] },
  });
});

test('the time limit holds while the connection is lost', async () => {
  const temporal = promotion((read) => {
    if (temporal.signals.length > 0) temporal.runs.set('a', over);
    else if (read > 1) throw grpcError(14, 'gone');
  });
  await endOf(temporal, 1);
  expect(temporal.signals).toEqual(['stop']);
});

test('a limit of a month stops nothing that ends before', async () => {
  const temporal = promotion((read) => {
    if (read > 20) temporal.runs.set('a', over);
  });
  await endOf(temporal, 30 * 24 * 3_600);
  expect(temporal.signals).toEqual([]);
});

test('one that was reset goes on in another run, which is waited for', async () => {
  const temporal = promotion((read) => {
    if (read === 3) {
      temporal.runs.set('a', rawHistory(startedEvent, terminated));
      temporal.runs.set('b', rawHistory(startedEvent));
    }
    if (read > 8) temporal.runs.set('b', over);
  });
  expect((await endOf(temporal)).record).toEqual(promoted);
});

test('what is no promotion is not waited for', async () => {
  const run = fakeTemporal('kafkaBrokerFailure', { a: rawHistory(startedEvent) });
  await expect(endOf(run)).rejects.toMatchObject({ problem: { code: 'INPUT_INVALID' } });
});
