import { ActivityFailure, RetryState, TimeoutFailure, TimeoutType } from '@temporalio/common';
import { expect, test } from 'vitest';
import { problemOfFailure } from '../../src/workflows/failure.ts';
import { whyLost } from '../../src/workflows/lost-step.ts';

const outOfTime = new ActivityFailure(
  'Activity task timed out',
  ...(['kill', '1', RetryState.TIMEOUT, 'worker'] as const),
  new TimeoutFailure('activity timeout', undefined, TimeoutType.SCHEDULE_TO_CLOSE),
);

test('a step that ran out of its time is named where it is known, and a sentence where it is not', () => {
  expect(problemOfFailure(outOfTime, 'kill')).toMatchObject({
    code: 'TIMED_OUT',
    message: 'step kill did not end in its time (SCHEDULE_TO_CLOSE)',
  });
  expect(whyLost(outOfTime)).toBe('the step did not end in its time (SCHEDULE_TO_CLOSE)');
});
