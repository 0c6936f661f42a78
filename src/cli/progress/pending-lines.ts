import { duration } from '../../report/format.ts';
import { type Line, stepOf } from './line.ts';
import type { Pending } from './pending.ts';

/** A worker that was seen polling a task queue. */
export interface Poller {
  identity: string;
  /** Epoch ms. */
  lastSeen: number;
}

/** What there is to say now: lines to keep, and one short text that replaces the former one. */
export interface PendingNews {
  lines: Line[];
  status?: string;
}

/** A task is taken within milliseconds by a healthy worker. */
const patienceMs = 3_000;

/** Temporal forgets a poller only after five minutes; a living one comes back at least this often. ms */
export const seenWithinMs = 70_000;

/** Those that are still there, of workers that were seen. */
export function living(pollers: readonly Poller[], now: number): Poller[] {
  return pollers.filter(({ lastSeen }) => now - lastSeen < seenWithinMs);
}

/**
 * Turns what a run waits for into news, one call a look. A text whose figures alone changed is a status, a new text is a line:
 * so the plan tree is told as it advances, and a rate that changes each second fills no screen.
 */
export function pendingTeller(): (
  pending: readonly Pending[],
  now: number,
  pollers: (taskQueue: string) => readonly Poller[] | undefined,
) => PendingNews {
  let shapes = new Set<string>();
  const said = new Map<string, string>();
  /** True once for each new text of a subject. */
  const isNew = (subject: string, text: string) => {
    if (said.get(subject) === text) return false;
    said.set(subject, text);
    return true;
  };

  return (pending, now, pollers) => {
    const lines: Line[] = [];
    const status: string[] = [];
    const current = new Set<string>();
    const waiting = new Set<string>();
    for (const one of pending) {
      const step = stepOf(one.activity);
      const say = (text: string, tone?: Line['tone']) =>
        lines.push({ at: now, step, text, ...(tone ? { tone } : {}) });

      if (one.attempt > 1) {
        const why = one.lastFailure ? `: ${one.lastFailure.message}` : '';
        if (isNew(`attempt ${one.activity}`, `${one.attempt}${why}`)) {
          say(`attempt ${one.attempt}${why}`, 'warn');
        }
      }
      const waitedMs = one.waitingSince === undefined ? 0 : now - one.waitingSince;
      if (!one.taken && waitedMs > patienceMs && one.lastFailure === undefined) {
        const text = waitingText(one.taskQueue, pollers(one.taskQueue), now);
        waiting.add(one.taskQueue);
        if (text && isNew(`waiting ${one.taskQueue}`, text)) say(text, 'bad');
        status.push(`waiting ${duration(waitedMs)} for a worker`);
      }
      for (const text of one.lines) {
        const shape = `${step} ${text.replaceAll(/\d+([.,]\d+)*/g, '#')}`;
        current.add(shape);
        if (!shapes.has(shape)) say(text);
      }
      const last = one.lines.at(-1);
      if (last) status.push(last.trim());
    }
    for (const subject of [...said.keys()]) {
      if (subject.startsWith('waiting ') && !waiting.has(subject.slice('waiting '.length))) {
        said.delete(subject);
        lines.push({ at: now, step: 'temporal', text: 'a worker has taken over', tone: 'good' });
      }
    }
    shapes = current;
    return { lines, ...(status.length > 0 ? { status: status.join('  ·  ') } : {}) };
  };
}

/** Undefined while nothing certain is known. */
function waitingText(
  taskQueue: string,
  pollers: readonly Poller[] | undefined,
  now: number,
): string | undefined {
  if (!pollers) return undefined;
  const there = living(pollers, now);
  if (there.length === 0) {
    return `no worker polls task queue ${taskQueue}: start one with "leaderfall worker"`;
  }
  const names = there.map((poller) => poller.identity).join(', ');
  return `no worker takes the task from queue ${taskQueue}; last seen there: ${names}. Busy, or gone a moment ago`;
}
