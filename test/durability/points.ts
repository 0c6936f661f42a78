import { type Cell, takeOverMs } from './cell.ts';
import { eventRecorded, inTheMiddle, type Sight, type Stage } from './stage.ts';

/** A moment in the middle of an activity: a request that only this activity sends, at this place of the story. */
export interface Point {
  activity: string;
  request: string;
  sight: Sight;
}

const leaderDeleted = /^DELETE pods\/kafka-kafka/;

/** The first such request after `count` others that match `after`. */
function first(activity: string, request: RegExp, after?: RegExp, count = 1): Point {
  return {
    activity,
    request: request.source.replaceAll(/\\|[\^$]/g, ''),
    sight: (what, before) =>
      request.test(what) && (!after || before.filter((one) => after.test(one)).length >= count),
  };
}

/** The first broker's deletion. */
export const deletion = first('kill', leaderDeleted);

/** Looks before the effect of a step: what it finds is old when a worker that stood still goes on. */
export const looks = {
  annotate: first('annotate', /^GET statefulsets\/kafka-kafka/, /^POST kafka\/brokerConfig/),
  startLiveness: first('startLiveness', /^GET pods\/kafka-liveness/),
};

/** Every effect of every activity; for one that has none, a request in its middle. In the order of the story. */
export const points: Point[] = [
  first('resolve', /^POST leases/),
  first('provision', /^POST kafka\/brokerConfig/),
  first('annotate', /^PATCH statefulsets/),
  first('startLiveness', /^POST pods/),
  first('aim', /^POST kafka\/metadata/, /^POST pods/),
  first('kill', /^PUT leases/),
  deletion,
  first('prove', /^GET pods.*8083\/proxy\/report/, leaderDeleted),
  first('aim', /^POST kafka\/metadata/, leaderDeleted),
  first('kill', /^PUT leases/, leaderDeleted),
  first('kill', leaderDeleted, leaderDeleted),
  first('prove', /^GET pods.*8083\/proxy\/report/, leaderDeleted, 2),
  first('closeStream', /^POST pods.*\/stop/),
  first('closeStream', /^POST pods.*\/close/),
  first('cleanUp', /^DELETE pods\/kafka-liveness/),
  first('cleanUp', /^POST kafka\/deleteTopic/),
  first('cleanUp', /^POST kafka\/deleteGroup/),
  first('cleanUp', /^PATCH statefulsets/, /^DELETE pods\/kafka-liveness/),
  first('cleanUp', /^DELETE leases/),
  first('record', /^POST events/),
];

/** SIGKILL, and another one in its place. */
export async function replaceWorker(stage: Stage): Promise<void> {
  await stage.worker.kill();
  stage.worker = stage.another();
}

/** The worker dies when event `n` is recorded. */
export function diesAtEvent(n: number, event: string): Cell {
  return {
    ...{ name: `event-${n}`, delaysMs: takeOverMs },
    what: `worker killed at event ${n} ${event}`,
    disturb: async (stage) => {
      await eventRecorded(stage, n);
      await replaceWorker(stage);
    },
  };
}

/** The worker dies in the middle of an activity. */
export function diesInTheMiddle(point: Point, when: 'before' | 'after'): Cell {
  const { activity, request, sight } = point;
  return {
    ...{ name: `${when}-${points.indexOf(point) + 1}-${activity}`, delaysMs: takeOverMs },
    what: `worker killed in ${activity}, ${when} ${request}`,
    disturb: (stage) =>
      inTheMiddle(stage, sight, when, async () => {
        await replaceWorker(stage);
        return 'lost';
      }),
  };
}
