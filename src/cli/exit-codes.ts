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

/** Bad flags, bad files, unknown fields: nothing was started. As EX_USAGE of sysexits. */
export const usageExitCode = 64;

/** The command stopped watching on Ctrl-C, the run goes on: 128 + SIGINT. */
export const detachedExitCode = 130;
