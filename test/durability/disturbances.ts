import { setTimeout as delay } from 'node:timers/promises';
import { type Cell, takeOverMs } from './cell.ts';
import { status } from './cluster/api.ts';
import type { OnTheWay } from './cluster/cluster.ts';
import { deletion, looks, type Point, points, replaceWorker } from './points.ts';
import { disturb, eventRecorded, inTheMiddle, type Stage } from './stage.ts';

/** An event at which something is taken away. */
export interface Moment {
  n: number;
  /** As in `kill scheduled`. */
  what: string;
}

/** The server is killed with -9 at that event, and is there again on the same store a little later. */
export function serverCrashes({ n, what }: Moment): Cell {
  return {
    ...{ name: `server-crash-${n}`, ownServer: true, delaysMs: takeOverMs },
    what: `Temporal server killed at event ${n}, ${what}`,
    disturb: async (stage) => {
      await eventRecorded(stage, n);
      await stage.server.crash(2_000);
    },
  };
}

/** Nobody reaches the server for that long. */
export function serverUnreachable({ n, what }: Moment, ms: number): Cell {
  return {
    ...{ name: `server-away-${n}`, ownServer: true, delaysMs: ms + takeOverMs },
    what: `Temporal server unreachable for ${ms / 1_000} s from event ${n}, ${what}`,
    disturb: async (stage) => {
      await eventRecorded(stage, n);
      await stage.server.freeze(ms);
    },
  };
}

const isKafka = (what: string) => what.startsWith('POST kafka/');
const isWrite = (what: string) => /^(POST|PUT|PATCH|DELETE) (?!kafka|selfsubject)/.test(what);

/** What happens to requests while the API server or Kafka is not well. */
const troubles: Record<string, () => OnTheWay> = {
  'API server unreachable':
    () =>
    ({ what }, carryOut) =>
      isKafka(what) ? carryOut() : 'lost',
  'Kafka unreachable':
    () =>
    ({ what }, carryOut) =>
      isKafka(what) ? 'lost' : carryOut(),
  'watches lost':
    () =>
    ({ query }, carryOut) =>
      query.get('watch') === 'true' ? 'lost' : carryOut(),
  'requests answered too late': () => async (_, carryOut) => {
    const answer = carryOut();
    await delay(11_000);
    return answer;
  },
  '429 storm': () =>
    everySecond(
      () => true,
      () => status(429, 'TooManyRequests'),
    ),
  '500 storm': () =>
    everySecond(
      () => true,
      () => status(500, 'InternalError'),
    ),
  '409 storm': () => everySecond(isWrite, () => status(409, 'Conflict')),
};

function everySecond(meant: (what: string) => boolean, refuse: () => ReturnType<typeof status>): OnTheWay {
  let count = 0;
  return ({ what }, carryOut) => (!isKafka(what) && meant(what) && count++ % 2 === 0 ? refuse() : carryOut());
}

/** Trouble with the cluster for that long, from that event on. */
export function clusterTrouble(trouble: string, { n, what }: Moment, ms: number): Cell {
  return {
    name: `${trouble.replaceAll(' ', '-')}-${n}`,
    what: `${trouble} for ${ms / 1_000} s from event ${n}, ${what}`,
    // Requests that are answered too late are given up after ten seconds, also the last of them.
    delaysMs: trouble === 'requests answered too late' ? ms + takeOverMs : ms,
    // While no broker answers the guard lets nothing through, which is a reason of its own.
    ...(trouble === 'Kafka unreachable' ? { skips: /no broker answers/ } : {}),
    disturb: async (stage) => {
      await eventRecorded(stage, n);
      await disturb(stage, ms, troubles[trouble]?.() ?? ((_, carryOut) => carryOut()));
    },
  };
}

const [inResolve] = points.filter(({ activity }) => activity === 'resolve');
const [inKill] = points.filter(({ activity }) => activity === 'kill');
const [inCleanUp] = points.filter(({ activity }) => activity === 'cleanUp');

/** The result, or that there is none. */
const ended = ({ handle }: Stage) => handle.result().catch(() => undefined);

/** Longer than any act that was planned may still come. ms */
const outlastsMs = 15_000;

/** A worker stands still in the middle of an activity and goes on there when another has long taken its place. */
function zombie(
  name: string,
  what: string,
  point: Point | undefined,
  then: (stage: Stage) => Promise<void>,
): Cell {
  return {
    ...{ name: `zombie-${name}`, what: `worker frozen in ${point?.activity}, woken ${what}` },
    delaysMs: takeOverMs,
    disturb: async (stage) => {
      if (!point) throw new Error('there is no such point');
      const old = stage.worker;
      await inTheMiddle(stage, point.sight, 'after', async () => {
        old.freeze();
        return 'answered';
      });
      await then(stage);
      old.wake();
      await delay(outlastsMs);
      await old.kill();
    },
  };
}

/** Somebody ends the run meanwhile; when the worker goes on, everything has been cleaned up. */
function zombieAfterAbort(name: string, point: Point | undefined): Cell {
  const cell = zombie(name, 'after an abort', point, async (stage) => {
    stage.worker = stage.another();
    await stage.handle.signal('abort', { actor: 'a test', reason: 'enough' });
    await ended(stage);
  });
  return { ...cell, alsoRight: ['Stopped'] };
}

/** Two workers at once. */
export const zombies: Cell[] = [
  zombie('beside', 'beside its successor', inKill, async (stage) => {
    stage.worker = stage.another();
    await delay(6_500);
  }),
  zombie('kill', 'after the end', inKill, async (stage) => {
    stage.worker = stage.another();
    await ended(stage);
  }),
  zombie('skip', 'after its kill was skipped', inKill, async (stage) => {
    await delay(12_000);
    stage.worker = stage.another();
    await delay(6_000);
  }),
  zombieAfterAbort('abort', inKill),
  zombieAfterAbort('resolve', inResolve),
  zombieAfterAbort('annotate', looks.annotate),
  zombieAfterAbort('stream', looks.startLiveness),
  zombie('clean-up', 'after the end', inCleanUp, async (stage) => {
    stage.worker = stage.another();
    await ended(stage);
  }),
];

/** The deletion is carried out, nobody hears of it, and the worker lives. */
export const answerLost: Cell = {
  ...{ name: 'answer-lost', what: 'a broker’s pod deleted, the answer lost' },
  disturb: async (stage) => {
    await inTheMiddle(stage, deletion.sight, 'after', async () => 'lost');
  },
};

/** Two deaths in a row, the second one in the middle of what the first successor does about it. */
export const diesTwice: Cell = {
  ...{ name: 'dies-twice', what: 'worker killed in kill, and its successor too', delaysMs: 2 * takeOverMs },
  disturb: async (stage) => {
    if (!inKill) throw new Error('there is no such point');
    for (let time = 0; time < 2; time++) {
      await inTheMiddle(stage, inKill.sight, 'before', async () => {
        await replaceWorker(stage);
        return 'lost';
      });
    }
  },
};

/** The kill's own request comes to the API server when nobody waits for it any more. */
export const landsLate: Cell = {
  ...{
    name: 'lands-late',
    what: 'the request of kill 1 carried out 1 s after it was given up',
    delaysMs: 11_000,
  },
  landsLate: true,
  disturb: async (stage) => {
    await inTheMiddle(stage, deletion.sight, 'before', async ({ abandoned }) => {
      await abandoned;
      return await delay(1_000, 'answered' as const);
    });
  },
};

/** The names of troubles with the API server's answers. */
export const storms = ['429 storm', '500 storm', '409 storm', 'watches lost', 'requests answered too late'];
