import type { RunIdentity } from '../experiment/identity.ts';
import type { Step } from '../experiment/result.ts';
import { problemWithoutHosts } from '../experiment/without-hosts.ts';
import type { ActivityDependencies } from './dependencies.ts';
import type { StepContext } from './step.ts';

/** Each showing is a signal, which is billed and stays in history. ms */
const everyMs = 15_000;

/**
 * A step's `progress` that people also find in the run's current details, at most every 15 s: for steps that take minutes, since a
 * heartbeat is shown to those only who look for the pending activity. Best effort.
 */
export function showOnRun(
  deps: Pick<ActivityDependencies, 'showProgress' | 'log'>,
  run: RunIdentity,
  step: Step,
  progress: StepContext['progress'],
): StepContext['progress'] {
  let shown = '';
  let shownAt = Number.NEGATIVE_INFINITY;
  return (lines) => {
    progress(lines);
    const text = lines.join('\n');
    if (text === shown || Date.now() - shownAt < everyMs) return;
    shown = text;
    shownAt = Date.now();
    deps.showProgress(run, { step, lines }).catch((error: unknown) => {
      deps.log.warn(
        { problem: problemWithoutHosts(error) },
        'the run’s current details could not be brought up to date',
      );
    });
  };
}
