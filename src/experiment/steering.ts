import type { InjectingStopped } from './abort-on.ts';
import type { GuardWait } from './kill-record.ts';
import { maxKills, plannedKills, reserveSeconds } from './schedule.ts';
import type { Experiment, ResolvedExperiment } from './spec.ts';

/** What a person can ask of a live run; names of the workflow's updates. */
export const requests = {
  abort:
    'Stop the run: no further kill, clean-up, verdict Stopped. Input: {"reason": "…", "actor": "…"}, both optional.',
  pause: 'No kill until resume; later deadlines move by as long. Input: {"reason": "…", "actor": "…"}.',
  resume: 'Go on after a pause. Input: {"reason": "…", "actor": "…"}.',
  skipNext:
    'Leave the next kill out; with fewer kills than minKills the run is Inconclusive. Input: {"reason": "…", "actor": "…"}.',
  killNow: 'Make the next kill now instead of at its deadline. Input: {"reason": "…", "actor": "…"}.',
  extend: 'Add kills at the end, an interval apart. Input: {"kills": 2, "reason": "…", "actor": "…"}.',
} as const;

/** The name of one request. */
export type Request = keyof typeof requests;

/** Who asked for something and why, as they said it. */
export interface Asked {
  actor: string;
  reason: string;
}

/** Where the kills of a run stand, and what people have asked for. All that a request is judged by. */
export interface Steering {
  /** Index of the kill that comes next, or is being made. */
  next: number;
  round: 'before' | 'waiting' | 'aiming' | 'killing' | 'proving' | 'made' | 'over';
  /** Epoch ms of the deadline that is being waited for. */
  deadline?: number;
  /** Since when (epoch ms) there is a pause. */
  paused?: Asked & { at: number };
  skipNext?: Asked;
  /** Deadline (epoch ms) that killNow has set for the next kill. */
  killNowAt?: number;
  /** Time by which pauses have moved all later deadlines, ms. */
  shiftMs: number;
  extraKills: number;
  /** What the guard had the next kill wait already, where people then held it. */
  waited?: GuardWait;
  stoppedBy?: Asked;
  /** A line of `abortOn` was broken: no further kill is made, and the run goes on to its verdict. */
  injectingStopped?: InjectingStopped;
}

/** Nobody has asked for anything. */
export function untouched(): Steering {
  return { next: 0, round: 'before', shiftMs: 0, extraKills: 0 };
}

/** Kills of a run with those by which it was extended. */
export function killsOf(schedule: Experiment['schedule'], steering: Steering): number {
  return plannedKills(schedule) + steering.extraKills;
}

/** Proven kills that a run needs. Where it needs all, it needs those too by which it was extended. */
export function minKillsOf(schedule: ResolvedExperiment['schedule'], steering: Steering): number {
  const needsAll = schedule.minKills === plannedKills(schedule);
  return needsAll ? killsOf(schedule, steering) : schedule.minKills;
}

/** What is left of the reserve for pauses and extensions at a time (epoch ms), a pause under way counted. ms */
export function reserveLeft(schedule: Experiment['schedule'], steering: Steering, now: number): number {
  const held = heldFor(steering, now);
  const extended = steering.extraKills * schedule.intervalSeconds * 1_000;
  return Math.max(0, reserveSeconds * 1_000 - steering.shiftMs - held - extended);
}

/** How long a pause under way has held the kills at a time (epoch ms); before the stream is steady there are none to hold. ms */
export function heldFor({ paused, round }: Steering, now: number): number {
  return paused && round !== 'before' ? now - paused.at : 0;
}

/** Reads the input of a request. Throws an Error whose message names the wrong field. */
export function readRequest(request: Request, input: unknown): Asked & { kills: number } {
  const fields = input ?? {};
  if (typeof fields !== 'object' || Array.isArray(fields)) throw new Error('input: one object is expected');
  const {
    reason = 'not given',
    actor = 'not given',
    kills = 1,
    ...unknown
  } = fields as Record<string, unknown>;
  const [stray] = Object.keys(unknown);
  const known = request === 'extend' ? 'kills, reason, actor' : 'reason, actor';
  if (stray !== undefined) throw new Error(`${stray}: unknown field; known: ${known}`);
  if (typeof reason !== 'string') throw new Error('reason: must be a string');
  if (typeof actor !== 'string') throw new Error('actor: must be a string');
  if (typeof kills !== 'number' || !Number.isInteger(kills) || kills < 1)
    throw new Error('kills: must be a whole number, 1 or more');
  if (request !== 'extend' && 'kills' in fields) throw new Error(`kills: unknown field; known: ${known}`);
  return { reason: reason.slice(0, 500), actor: actor.slice(0, 200), kills };
}

/** Why a request cannot be done now, for the person who asked; undefined where it can. */
export function refusalOf(
  request: Request,
  { kills }: { kills: number },
  steering: Steering,
  schedule: Experiment['schedule'] | undefined,
  now: number,
): string | undefined {
  if (steering.stoppedBy) return `the run is already being stopped by ${steering.stoppedBy.actor}`;
  if (request === 'abort') return steering.round === 'over' ? 'the run is already ending' : undefined;
  const { round, next, paused, injectingStopped } = steering;
  if (injectingStopped) return `no further kill is made: ${injectingStopped.reason}`;
  const open = ['before', 'waiting', 'aiming'].includes(round);
  const last = schedule !== undefined && next >= killsOf(schedule, steering) - 1;
  if (round === 'over' || round === 'made' || (last && !open)) return 'no kill is left to be made';
  const name = `kill ${next + 1}`;
  switch (request) {
    case 'pause':
      return paused ? `it is paused already, by ${paused.actor}: ${paused.reason}` : undefined;
    case 'resume':
      return paused ? undefined : 'it is not paused';
    case 'skipNext':
      return steering.skipNext
        ? `the next kill is skipped already, by ${steering.skipNext.actor}`
        : undefined;
    case 'killNow':
      if (paused) return 'it is paused: resume first';
      if (round === 'before') return 'the stream is not steady yet';
      return round === 'waiting' ? undefined : `${name} is under way`;
    case 'extend':
      if (!schedule) return 'the experiment is not resolved yet';
      if (killsOf(schedule, steering) + kills > maxKills) return `a run holds at most ${maxKills} kills`;
      return kills * schedule.intervalSeconds * 1_000 > reserveLeft(schedule, steering, now)
        ? `${kills} kills more would outlast the reserve of ${reserveSeconds} s, after which what the run made expires`
        : undefined;
  }
}
