import {
  ActivityFailure,
  ApplicationFailure,
  ChildWorkflowFailure,
  TimeoutFailure,
} from '@temporalio/common';
import type { Problem } from '../experiment/errors.ts';
import { problemOf } from '../experiment/errors.ts';
import type { Step } from '../experiment/result.ts';
import { type SearchAttributeName, searchAttributes } from '../experiment/search-attributes.ts';

/** The search attributes that are registered, as a step that failed tells beside its problem. */
export function registeredOf(error: unknown): SearchAttributeName[] {
  const cause = causeOf(error);
  // A step that ran out of its time tells what its last attempt failed of.
  const failure = cause instanceof TimeoutFailure ? cause.cause : cause;
  const told = failure instanceof ApplicationFailure ? failure.details?.[1] : undefined;
  return Array.isArray(told) ? told.filter((name) => name in searchAttributes) : [];
}

/** The problem in a failure as a workflow, or the reader of its history, sees it. */
export function problemOfFailure(error: unknown, step?: Step): Problem {
  const cause = causeOf(error);
  if (cause instanceof ApplicationFailure) {
    const found = cause.details?.[0] as Problem | undefined;
    if (found?.code) return { ...(step ? { step } : {}), ...found };
    return { code: 'INTERNAL', message: cause.message, retryable: false, ...(step ? { step } : {}) };
  }
  if (cause instanceof TimeoutFailure) {
    const last =
      cause.cause instanceof ApplicationFailure
        ? (cause.cause.details?.[0] as Problem | undefined)
        : undefined;
    if (last?.code) return { ...(step ? { step } : {}), ...last };
    return {
      code: 'TIMED_OUT',
      message: `${step ? `step ${step}` : 'the step'} did not end in its time (${cause.timeoutType})`,
      next: 'Look at the worker’s log and at the pending activity in the Web UI.',
      retryable: false,
      ...(step ? { step } : {}),
    };
  }
  return problemOf(error, step);
}

/** What a step or a child ended with, for its own failure only says that it did. */
function causeOf(error: unknown): unknown {
  return error instanceof ActivityFailure || error instanceof ChildWorkflowFailure ? error.cause : error;
}
