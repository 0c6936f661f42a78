import type { PromotionRecord } from '../experiment/promotion/record.ts';
import type { Verdict } from '../experiment/result.ts';

/** Exit code of `run`, `watch` and `abort` by verdict. */
export const verdictExitCodes: Record<Verdict, number> = {
  Pass: 0,
  Fail: 1,
  Inconclusive: 2,
  Error: 3,
  Stopped: 4,
  Skipped: 5,
};

/** Exit code of `promote start --wait` and `promote status` by outcome; one that could not begin ends as a run in Error. */
export const promotionExitCodes: Record<PromotionRecord['outcome'], number> = {
  // Only of a `status` without --wait.
  Running: 0,
  Promoted: 0,
  Rejected: 1,
  Expired: 2,
  Error: 3,
  Stopped: 4,
};

/** Bad flags, bad files, unknown fields: nothing was started. As EX_USAGE of sysexits. */
export const usageExitCode = 64;

/** The command stopped watching on Ctrl-C, the run goes on: 128 + SIGINT. */
export const detachedExitCode = 130;
