import type { Paint } from '../../report/format.ts';
import type { Line } from './line.ts';

/** Where progress is written. */
export interface Screen {
  /** Times are shown from here on, epoch ms; else from the first line. */
  startedAt(at: number): void;
  line(line: Line): void;
  /** Plain text without time and step. */
  text(text: string): void;
  /** Replaces the last status; undefined takes it away. */
  status(text: string | undefined, now: number): void;
  /** Keeps everything back while true, for a question to the person, and writes it when false again. */
  hold(held: boolean): void;
}

/** Without a terminal a status becomes a line when nothing else was written for so long. */
const quietMs = 10_000;

/**
 * Writes lines with the time since the run's start. On a terminal the status stays in the last row and is redrawn.
 */
export function screen(
  out: { write(text: string): unknown; isTTY?: boolean; columns?: number },
  options: { paint: Paint },
): Screen {
  const { paint } = options;
  let startedAt: number | undefined;
  let shown: string | undefined;
  let wrote = false;
  let quietSince: number | undefined;
  const wipe = () => {
    if (out.isTTY && shown !== undefined) out.write('\r\x1b[2K');
  };
  const redraw = () => {
    if (out.isTTY && shown !== undefined)
      out.write(paint('dim', `           ${fit(shown, (out.columns ?? 80) - 12)}`));
  };
  let held: string[] | undefined;
  const write = (text: string) => {
    if (held) {
      held.push(text);
      return;
    }
    wipe();
    out.write(`${text}\n`);
    wrote = true;
    redraw();
  };
  const stamp = (at: number) => {
    startedAt ??= at;
    return `+${(Math.max(0, at - startedAt) / 1_000).toFixed(1)}s`.padStart(9);
  };
  return {
    startedAt: (at) => {
      startedAt = at;
    },
    line: ({ at, step, text, tone }) => {
      // Texts of clusters and pods may hold anything, escape sequences too.
      const safe = text.replace(/\p{Cc}+/gu, ' ');
      const body = tone ? paint(tone, safe) : safe;
      write(`${paint('dim', stamp(at))}  ${step.padEnd(9)}  ${body}`);
    },
    text: write,
    hold: (on) => {
      if (on) {
        wipe();
        shown = undefined;
        held ??= [];
        return;
      }
      const kept = held ?? [];
      held = undefined;
      for (const text of kept) write(text);
    },
    status: (text, now) => {
      if (held) return;
      if (out.isTTY) {
        if (text === shown) return;
        wipe();
        shown = text;
        redraw();
        return;
      }
      if (wrote || quietSince === undefined) quietSince = now;
      wrote = false;
      if (text === undefined || now - quietSince < quietMs) return;
      write(`${stamp(now)}  ${''.padEnd(9)}  ${text}`);
    },
  };
}

function fit(text: string, columns: number): string {
  return text.length <= columns ? text : `${text.slice(0, Math.max(0, columns - 1))}…`;
}
