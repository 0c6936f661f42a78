import type { Paint } from '../print-problem.ts';
import type { Line } from './line.ts';

/** Where progress is written. */
export interface Screen {
  line(line: Line): void;
  /** Plain text without time and step. */
  text(text: string): void;
  /** Replaces the last status; undefined takes it away. */
  status(text: string | undefined, now: number): void;
}

/** Without a terminal a status becomes a line, but not more often than this. */
const quietMs = 10_000;

const tones = { good: 'green', bad: 'red', warn: 'yellow', dim: 'dim', strong: 'bold' } as const;

/**
 * Writes lines with the time since `startedAt` (epoch ms; that of the first line where undefined). On a terminal the status stays
 * in the last row and is redrawn.
 */
export function screen(
  out: { write(text: string): unknown; isTTY?: boolean; columns?: number },
  options: { paint: Paint; startedAt?: number },
): Screen {
  const { paint } = options;
  let { startedAt } = options;
  let shown: string | undefined;
  let shownAt = 0;
  const wipe = () => {
    if (out.isTTY && shown !== undefined) out.write('\r\x1b[2K');
  };
  const redraw = () => {
    if (out.isTTY && shown !== undefined) out.write(paint('dim', `           ${fit(shown, (out.columns ?? 80) - 12)}`));
  };
  const write = (text: string) => {
    wipe();
    out.write(`${text}\n`);
    redraw();
  };
  const stamp = (at: number) => {
    startedAt ??= at;
    return `+${(Math.max(0, at - startedAt) / 1_000).toFixed(1)}s`.padStart(9);
  };
  return {
    line: ({ at, step, text, tone }) => {
      const body = tone ? paint(tones[tone], text) : text;
      write(`${paint('dim', stamp(at))}  ${paint('cyan', step.padEnd(9))}  ${body}`);
    },
    text: write,
    status: (text, now) => {
      if (text === shown) return;
      if (out.isTTY) {
        wipe();
        shown = text;
        redraw();
        return;
      }
      shown = text;
      if (text === undefined || now - shownAt < quietMs) return;
      shownAt = now;
      write(`${stamp(now)}  ${''.padEnd(9)}  ${text}`);
    },
  };
}

function fit(text: string, columns: number): string {
  return text.length <= columns ? text : `${text.slice(0, Math.max(0, columns - 1))}…`;
}
