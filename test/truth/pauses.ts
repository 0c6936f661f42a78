import { epochNow, type Span } from './protocol.ts';

const beatMs = 5;

/** A beat that is later than this is a pause of the process: it saw and did nothing, and nobody meant it. ms */
const lateMs = 12;

/** Keeps when this process paused, because the machine had no time for it. */
export function watchPauses(): { readonly pauses: Span[]; stop(): void } {
  const pauses: Span[] = [];
  let lastBeat = epochNow();
  const timer = setInterval(() => {
    const now = epochNow();
    if (now - lastBeat - beatMs > lateMs) pauses.push({ from: lastBeat, to: now });
    lastBeat = now;
  }, beatMs);
  return { pauses, stop: () => clearInterval(timer) };
}
