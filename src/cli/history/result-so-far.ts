import type { Closing, Resolved } from '../../activities/contract.ts';
import { leaseName, shortRunId } from '../../experiment/identity.ts';
import type {
  ChaosResult,
  Leftover,
  ProvisionedKafka,
  StartedLiveness,
  TimelineEntry,
} from '../../experiment/result.ts';
import { plannedKills } from '../../experiment/schedule.ts';
import { eventTeller } from '../progress/event-lines.ts';
import { killsIn } from './kills-in-history.ts';
import { overTime, type RunEnd } from './result-from-history.ts';
import type { ActivityName, RunEvent } from './run-event.ts';

/**
 * What a run had come to that was ended from outside before it could record: made of what its steps gave. Undefined where not even
 * its experiment was resolved.
 */
export function resultSoFar(
  events: readonly RunEvent[],
  { verdict, problem }: RunEnd,
): ChaosResult | undefined {
  const resolved = given<Resolved>(events, 'resolve');
  if (!resolved || !problem) return undefined;
  const { run, experiment, versions } = resolved;
  const kafka = given<ProvisionedKafka>(events, 'provision');
  const closing = given<Closing>(events, 'closeStream');
  const at = (event: RunEvent | undefined) => new Date(event?.at ?? 0).toISOString();
  return {
    schema: 'leaderfall.io/result/v1',
    run,
    name: experiment.name,
    verdict,
    reasons: [problem.message],
    problem,
    startedAt: at(events[0]),
    endedAt: at(events.at(-1)),
    experiment,
    ...(kafka ? { kafka } : {}),
    plannedKills: plannedKills(experiment.schedule),
    kills: killsIn(events),
    ...(closing?.stream ? { stream: closing.stream } : {}),
    ...overTime(events),
    leftovers: leftoversOf(events, resolved, kafka),
    timeline: timelineOf(events),
    versions,
  };
}

/** What the last call of an activity gave. */
function given<T>(events: readonly RunEvent[], activity: ActivityName): T | undefined {
  const event = events.findLast((one) => one.kind === 'completed' && one.activity === activity);
  return event?.kind === 'completed' ? (event.result as T) : undefined;
}

/** What clean-up could not remove; without clean-up, all that the run is known to have made. */
function leftoversOf(
  events: readonly RunEvent[],
  { run, experiment, expires, statefulSetName }: Resolved,
  kafka: ProvisionedKafka | undefined,
): Leftover[] {
  const cleaned = given<{ leftovers: Leftover[] }>(events, 'cleanUp');
  if (cleaned) return cleaned.leftovers;
  const liveness = given<StartedLiveness>(events, 'startLiveness');
  const { namespace } = experiment.cluster;
  const reason = `made by run ${shortRunId(run)}, which could not clean up; it expires ${new Date(expires).toISOString()}`;
  return [
    ...(liveness
      ? [
          { kind: 'Pod', name: liveness.pod, namespace: liveness.namespace, reason },
          { kind: 'Topic', name: liveness.topic, reason },
        ]
      : []),
    ...(experiment.provision.keep ? [] : (kafka?.made ?? [])).map(({ kind, name, namespace: where }) => ({
      kind,
      name,
      ...(where ? { namespace: where } : {}),
      reason,
    })),
    { kind: 'Lease', name: leaseName(statefulSetName), namespace, reason },
  ];
}

function timelineOf(events: readonly RunEvent[]): TimelineEntry[] {
  const tell = eventTeller();
  return events
    .flatMap((event) => tell(event))
    .flatMap(({ at, step, text }) =>
      step === 'temporal' ? [] : [{ at: new Date(at).toISOString(), step, text }],
    );
}
