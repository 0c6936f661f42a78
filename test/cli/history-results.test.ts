import { ApplicationFailure, DefaultFailureConverter, defaultPayloadConverter } from '@temporalio/common';
import { expect, test } from 'vitest';
import { resultsOf } from '../../src/cli/commands/history.ts';
import { problem } from '../../src/experiment/errors.ts';
import { accessTo, fakeTemporal, grpcError, rawHistory, startedEvent } from './fake-temporal.ts';

/** A run that ended before it had anything to record: Kafka was away, which the next run may find mended. */
const { problem: away } = problem('KAFKA_UNREACHABLE', 'no broker answers', { retryable: true });
const failure = new DefaultFailureConverter().errorToFailure(
  ApplicationFailure.nonRetryable(away.message, away.code, away),
  defaultPayloadConverter,
);
const failed = rawHistory(startedEvent, { workflowExecutionFailedEventAttributes: { failure } });

/** The results of three such runs, where Temporal answers the last read with an error. */
async function resultsWhere(code?: number) {
  const temporal = fakeTemporal('kafkaBrokerFailure', { a: failed, b: failed, c: failed });
  temporal.before = (read) => {
    // Each run is read twice: its start, for what it may go on from, and all of it.
    if (code !== undefined && read > 4) throw grpcError(code, 'an answer');
  };
  return await resultsOf(accessTo(temporal), 'nightly', 10);
}

test('a run that ended with nothing to record counts as the Error that it is', async () => {
  const error = { verdict: 'Error', reasons: ['no broker answers'] };
  expect(await resultsWhere()).toMatchObject([error, error, error]);
});

test('a run that cannot be read is no Error: there is no history to be shown', async () => {
  await expect(resultsWhere(14)).rejects.toMatchObject({ problem: { code: 'TEMPORAL_UNREACHABLE' } });
});

test('a run that is listed and kept no longer is left out', async () => {
  expect((await resultsWhere(5)).map(({ run }) => run.runId)).toEqual(['a', 'b']);
});
