import type { KillRecord } from '../../src/experiment/kill-record.ts';
import type { Figure, MeasuredRun } from '../figure.ts';

/** By the API server's audit log, of the kills that the guard did not hold back. */
export const killDelaySeen: Figure = {
  id: 'deadline-to-api-call-audit',
  title: 'deadline → delete arrives at the API server (audit log)',
  unit: 'ms',
  aim: 50,
  litmus: 'none: 38.1 s between kills instead of 20 s',
  measure: (run) => delays(run, ({ waited }) => !waited),
};

/** By the run's own record: the same, at the sending. */
export const killDelaySaid: Figure = {
  id: 'deadline-to-api-call-result',
  title: 'deadline → delete is sent (result)',
  unit: 'ms',
  aim: 50,
  measure: ({ result }) =>
    (result?.kills ?? []).flatMap((kill) =>
      kill.latenessMs === undefined || guardWaited(kill) ? [] : [kill.latenessMs],
    ),
};

/**
 * A kill whose deadline passed while the guard waited is aimed at, written to history and made as soon as the guard lets it: what
 * this takes is no lateness of a timer, and has no aim.
 */
export const guardedKillDelay: Figure = {
  id: 'guard-to-api-call-audit',
  title: 'guard satisfied after its wait → delete arrives (audit log)',
  unit: 'ms',
  measure: (run) => delays(run, ({ waited }) => waited),
};

/** How often and how long replicas were not back in time. */
export const guardWait: Figure = {
  id: 'guard-wait',
  title: 'wait of the guard beyond a deadline, where there was one',
  unit: 's',
  measure: ({ result }) =>
    (result?.kills ?? []).filter(guardWaited).map(({ plan }) => (plan?.guardWaitMs ?? 0) / 1_000),
};

function delays(run: MeasuredRun, wanted: (kill: { waited: boolean }) => boolean): number[] {
  const made = (run.result?.kills ?? []).flatMap((kill) =>
    kill.act?.outcome === 'deleted' && kill.plan
      ? [{ due: kill.plan.deadline + kill.plan.guardWaitMs, waited: guardWaited(kill) }]
      : [],
  );
  // One accepted delete for each kill that says so, in order; anything else must not be measured as if it were.
  if (made.length !== run.deletions.length) return [];
  return made.flatMap((kill, index) =>
    wanted(kill) ? [Math.round(((run.deletions[index] ?? 0) - kill.due) * 10) / 10] : [],
  );
}

function guardWaited({ plan }: KillRecord): boolean {
  return (plan?.guardWaitMs ?? 0) > 0;
}
