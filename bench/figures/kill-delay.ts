import type { Figure, MeasuredRun } from '../figure.ts';

/** By the API server's audit log: deadline (or the end of the guard's wait) → arrival of the delete. */
export const killDelaySeen: Figure = {
  id: 'deadline-to-api-call-audit',
  title: 'deadline → delete arrives at the API server (audit log)',
  unit: 'ms',
  aim: 50,
  litmus: 'none: 38.1 s between kills instead of 20 s',
  measure: (run) => {
    const due = dueTimes(run);
    // One accepted delete for each kill that says so, in order; anything else must not be measured as if it were.
    if (due.length !== run.deletions.length) return [];
    return run.deletions.map((at, index) => round(at - (due[index] ?? at)));
  },
};

/** By the run's own record: the same, at the sending. */
export const killDelaySaid: Figure = {
  id: 'deadline-to-api-call-result',
  title: 'deadline → delete is sent (result)',
  unit: 'ms',
  aim: 50,
  measure: ({ result }) => (result?.kills ?? []).flatMap(({ latenessMs }) => latenessMs ?? []),
};

function dueTimes({ result }: MeasuredRun): number[] {
  return (result?.kills ?? []).flatMap(({ act, plan }) =>
    act?.outcome === 'deleted' && plan ? [plan.deadline + plan.guardWaitMs] : [],
  );
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
