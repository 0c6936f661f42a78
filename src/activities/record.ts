import { runAnnotations, runLabels, shortRunId } from '../experiment/identity.ts';
import type { ChaosResult, TimelineEntry } from '../experiment/result.ts';
import { problemWithoutHosts } from '../experiment/without-hosts.ts';
import type { KubernetesObject } from '../kubernetes/port.ts';
import type { Activities, Resolved } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { runStep } from './step.ts';

/** Writes one Event on the StatefulSet and gives the result back, so that it stands in history whole. */
export function makeRecord(deps: ActivityDependencies): Activities['record'] {
  return ({ result, resolved, cancelRun, pause }) =>
    runStep('record', async () => {
      if (cancelRun) await deps.cancelRun(result.run);
      const notPaused = pause && (await pauseSchedule(deps, pause));
      const recorded = notPaused ? { ...result, timeline: [...result.timeline, notPaused] } : result;
      if (!resolved) return recorded;
      try {
        await deps.kubernetes.create(eventOf(result, resolved));
      } catch (error) {
        // An Event is a courtesy; the result must not be lost for it.
        deps.log.warn({ problem: problemWithoutHosts(error) }, 'the Event could not be written');
      }
      return recorded;
    });
}

/** A schedule that cannot be paused must not lose the result of its run, which says so. */
async function pauseSchedule(
  deps: ActivityDependencies,
  { scheduleId, note }: { scheduleId: string; note: string },
): Promise<TimelineEntry | undefined> {
  try {
    await deps.pauseSchedule(scheduleId, note);
    return undefined;
  } catch (error) {
    const found = problemWithoutHosts(error);
    deps.log.warn({ problem: found, scheduleId }, 'the schedule could not be paused');
    const text = `schedule ${scheduleId} is not paused, and goes on: ${found.message}`;
    return { at: new Date().toISOString(), step: 'record', text };
  }
}

/** Event of the kind that `kubectl describe` shows; Kubernetes forgets it after an hour. */
function eventOf(result: ChaosResult, resolved: Resolved): KubernetesObject {
  const { namespace } = resolved.experiment.cluster;
  const { run } = result;
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: {
      name: `leaderfall-${shortRunId(run)}-${result.verdict.toLowerCase()}`,
      namespace,
      labels: runLabels(run),
      annotations: runAnnotations(run, resolved.expires),
    },
    type: result.verdict === 'Pass' ? 'Normal' : 'Warning',
    reason: result.verdict,
    message: `${result.name}: ${result.reasons.join('; ')}`.slice(0, 1_000),
    involvedObject: {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      name: resolved.statefulSetName,
      namespace,
      ...(result.kafka ? { uid: result.kafka.statefulSet.uid } : {}),
    },
    source: { component: 'leaderfall' },
    firstTimestamp: result.endedAt,
    lastTimestamp: result.endedAt,
    count: 1,
  };
}
