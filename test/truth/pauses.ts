import { epochNow, type Pause } from './protocol.ts';

const beatMs = 5;

/** A beat that is later than this is a pause of the process: it saw and did nothing, and nobody meant it. ms */
const lateMs = 12;

/** Keeps when this process paused, because the machine had no time for it or it had its own garbage to see to. */
export function watchPauses(who: Pause['who']): { readonly pauses: Pause[]; stop(): void } {
  const pauses: Pause[] = [];
  let lastBeat = epochNow();
  const timer = setInterval(() => {
    const now = epochNow();
    if (now - lastBeat - beatMs > lateMs) pauses.push({ who, from: lastBeat, to: now });
    lastBeat = now;
  }, beatMs);
  return { pauses, stop: () => clearInterval(timer) };
}
