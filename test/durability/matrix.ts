import { borders } from './borders.ts';
import type { Cell } from './cell.ts';
import {
  answerLost,
  clusterTrouble,
  diesTwice,
  landsLate,
  type Moment,
  serverCrashes,
  serverUnreachable,
  storms,
  zombies,
} from './disturbances.ts';
import { deletion, diesAtEvent, diesInTheMiddle, points } from './points.ts';
import { policies } from './policies.ts';
import { eventName } from './stage.ts';

/** An event of the undisturbed run, as far as it is looked at. */
interface RawEvent {
  eventId?: unknown;
  activityTaskScheduledEventAttributes?: { activityType?: { name?: string | null } | null } | null;
}

/** When the first task of each activity was scheduled, and the second one of those that there are two of. */
function momentsOf(events: RawEvent[]): (activity: string, nth?: number) => Moment {
  return (activity, nth = 0) => {
    const found = events.filter(
      (event) => event.activityTaskScheduledEventAttributes?.activityType?.name === activity,
    )[nth];
    return { n: Number(found?.eventId), what: `${activity} scheduled` };
  };
}

/** Every cell that there is. */
export function wholeMatrix(events: RawEvent[]): Cell[] {
  const at = momentsOf(events);
  const minute = 60_000;
  const serverMoments = [
    at('startLiveness'),
    at('kill'),
    at('prove'),
    at('aim', 1),
    at('closeStream'),
    at('cleanUp'),
  ];
  const clusterMoments = [
    at('provision'),
    at('startLiveness'),
    at('kill'),
    at('prove'),
    at('closeStream'),
    at('cleanUp'),
  ];
  return [
    ...events.map((event) => diesAtEvent(Number(event.eventId), eventName(event))),
    ...points.flatMap((point) => [diesInTheMiddle(point, 'before'), diesInTheMiddle(point, 'after')]),
    ...[diesTwice, answerLost, landsLate, ...zombies, ...policies, ...borders],
    ...serverMoments.map((moment) => serverCrashes(moment)),
    ...[at('startLiveness'), at('kill'), at('closeStream')].map((moment) =>
      serverUnreachable(moment, 2 * minute),
    ),
    ...clusterMoments.map((moment) => clusterTrouble('API server unreachable', moment, minute)),
    ...[at('provision'), at('kill'), at('cleanUp')].map((moment) =>
      clusterTrouble('Kafka unreachable', moment, minute),
    ),
    ...storms.flatMap((storm) =>
      [at('resolve'), at('kill'), at('cleanUp')].map((moment) => clusterTrouble(storm, moment, 8_000)),
    ),
  ];
}

/** What `npm test` plays: of each kind of disturbance the one that comes nearest to a kill, all side by side. */
export function shortMatrix(events: RawEvent[]): Cell[] {
  const at = momentsOf(events);
  return [
    diesAtEvent(at('kill').n, at('kill').what),
    diesInTheMiddle(deletion, 'after'),
    ...[answerLost, serverCrashes(at('kill'))],
    ...zombies.filter(({ name }) => name === 'zombie-beside'),
  ];
}

/**
 * What one plays after a change: in each activity one death, by turns before and after its effect, and one at an event of each kind; and of every
 * other disturbance the one that comes nearest to a kill.
 */
export function sample(events: RawEvent[]): Cell[] {
  const at = momentsOf(events);
  const byActivity = new Map(points.map((point) => [point.activity, point]));
  const byKind = new Map(events.map((event) => [eventName(event), Number(event.eventId)]));
  return [
    ...[...byActivity.values()].map((point, turn) => diesInTheMiddle(point, turn % 2 ? 'after' : 'before')),
    diesInTheMiddle(deletion, 'before'),
    ...[...byKind]
      .filter(([name]) => /^(timer|activityTaskScheduled|workflowTaskStarted)/.test(name))
      .map(([name, n]) => diesAtEvent(n, name)),
    ...zombies.filter(({ name }) => name === 'zombie-beside' || name === 'zombie-abort'),
    ...[landsLate, ...policies],
    serverCrashes(at('kill')),
    serverUnreachable(at('prove'), 15_000),
    clusterTrouble('API server unreachable', at('kill'), 15_000),
    clusterTrouble('Kafka unreachable', at('aim', 1), 15_000),
    clusterTrouble('409 storm', at('kill'), 8_000),
  ];
}
