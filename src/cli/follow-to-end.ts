import { messageOf, type TemporalAccess } from './connect-temporal.ts';
import { detachedExitCode, verdictExitCodes } from './exit-codes.ts';
import type { RunRef } from './history/follow.ts';
import type { RunEnd } from './history/result-from-history.ts';
import { askAbort, type InterruptPolicy, onInterrupt } from './interrupt.ts';
import { paint, problemLines } from './print-problem.ts';
import type { Screen } from './progress/screen.ts';
import { watchRun } from './progress/watch-run.ts';
import { afterSeconds, insist } from './time-limit.ts';

/** How a run is followed. */
export interface FollowOptions {
  policy: InterruptPolicy;
  /** Standard output gets the result object and nothing else. */
  json: boolean;
  /** Called with the run's end. */
  onEnd?: (end: RunEnd) => Promise<void>;
  /** The run is aborted when it has not ended after so many seconds. */
  timeoutSeconds?: number;
}

const verdictTones = {
  Pass: 'good',
  Fail: 'bad',
  Inconclusive: 'warn',
  Error: 'bad',
  Stopped: 'warn',
  Skipped: 'warn',
} as const;

/** Shows a run until it ends, honours Ctrl-C and the time limit, writes the verdict, and gives the exit code. */
export async function followToEnd(
  access: TemporalAccess,
  run: RunRef,
  screen: Screen,
  options: FollowOptions,
): Promise<number> {
  const detached = new AbortController();
  const left = new AbortController();
  const abort = (why: string) => {
    screen.text(`${why}: the run is being aborted, its clean-up goes on. Ctrl-C stops watching.`);
    // Where nobody sits and watches, nobody would ask once more.
    void insist(() => access.client.workflow.getHandle(run.workflowId).cancel(), {
      signal: left.signal,
      failed: (error) => screen.text(`the abort did not reach Temporal, trying again: ${messageOf(error)}`),
    });
  };
  const release = onInterrupt(options.policy, {
    abort: () => abort('Interrupted'),
    detach: () => detached.abort(),
    ask: async (signal) => {
      screen.hold(true);
      try {
        return await askAbort(signal);
      } finally {
        screen.hold(false);
      }
    },
  });
  const { timeoutSeconds } = options;
  const callOff = afterSeconds(timeoutSeconds, () => abort(`Not over after ${timeoutSeconds} s`));
  try {
    const end = await watchRun(access, run, screen, detached.signal);
    if (!end) {
      screen.text(
        `The run goes on. leaderfall watch ${run.workflowId}  |  leaderfall abort ${run.workflowId}`,
      );
      return detachedExitCode;
    }
    for (const line of endLines(end, run)) screen.text(line);
    await options.onEnd?.(end);
    if (options.json) process.stdout.write(`${JSON.stringify(end.result ?? end, null, 2)}\n`);
    return verdictExitCodes[end.verdict];
  } finally {
    callOff();
    left.abort();
    release();
  }
}

/** Verdict, reasons, problem, leftovers, and where to read more. */
export function endLines(end: RunEnd, run: RunRef): string[] {
  const { verdict, result } = end;
  const problem = result?.problem ?? end.problem;
  // A problem is told in full below.
  const reasons = (result?.reasons ?? []).filter((reason) => !problem || !reason.includes(problem.message));
  const lines = ['', `${paint(verdictTones[verdict], verdict)}${reasons[0] ? `  ${reasons[0]}` : ''}`];
  for (const reason of reasons.slice(1)) lines.push(`  - ${reason}`);
  if (problem) lines.push(...problemLines(problem));
  for (const left of result?.leftovers ?? []) {
    const where = left.namespace ? ` in ${left.namespace}` : '';
    lines.push(paint('warn', `  left behind: ${left.kind}/${left.name}${where}: ${left.reason}`));
  }
  if (result) lines.push(`  ${paint('dim', `leaderfall report ${run.workflowId}`)}`);
  return lines;
}
