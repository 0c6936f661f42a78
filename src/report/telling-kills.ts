import type { KillRecord } from '../experiment/kill-record.ts';

/** So many kills are told of at length; of more, a page and a summary could not be opened any more. */
const most = 100;

/** Of each figure, so many of the slowest. */
const slowest = 10;

/** Kills of a report that tells of all. */
export interface ToldKills {
  /** Those that are told of at length, in their order. */
  told: KillRecord[];
  /** How many are in the table alone. */
  others: number;
}

/** The kills that tell most: those that did not go as planned, the first, and the slowest by each figure. Of a hundred, all. */
export function tellingKills(kills: readonly KillRecord[]): ToldKills {
  if (kills.length <= most) return { told: [...kills], others: 0 };
  const longest = (msOf: (kill: KillRecord) => number | undefined) =>
    kills
      .filter((kill) => msOf(kill) !== undefined)
      .toSorted((a, b) => (msOf(b) ?? 0) - (msOf(a) ?? 0))
      .slice(0, slowest);
  const wanted = [
    ...kills.slice(0, 1),
    ...longest(({ proof }) => proof?.outageMs),
    ...longest(({ proof }) => proof?.timeToNewLeaderMs),
    ...longest(({ proof }) => proof?.timeToFullIsrMs),
    ...longest(({ latenessMs }) => latenessMs),
    ...kills.filter(({ status }) => status !== 'proven'),
  ];
  const told = [...new Set(wanted)].slice(0, most).sort((a, b) => a.index - b.index);
  return { told, others: kills.length - told.length };
}

/** Which kills are told of at length; undefined where all are. */
export function othersNote({ told, others }: ToldKills): string | undefined {
  if (others === 0) return undefined;
  return `Proofs of ${told.length} kills: the first, the slowest, those that did not go as planned; ${most} at most. The other ${others}: leaderfall report RUN --json`;
}
