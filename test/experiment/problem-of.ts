import { LeaderfallError, type Problem } from '../../src/experiment/errors.ts';

/** The problem that a call throws; fails where it throws nothing or something else. */
export function problemOf(call: () => unknown): Problem {
  try {
    call();
  } catch (error) {
    if (error instanceof LeaderfallError) return error.problem;
    throw error;
  }
  throw new Error('nothing was thrown');
}
