import { setTimeout as delay } from 'node:timers/promises';

/** The longest wait that a timer of Node's takes; a longer one is over at once. ms */
const longestMs = 2 ** 31 - 1;

/** How long after an attempt that failed the next one is made. ms */
const againMs = 5_000;

/** Calls `act` after so many seconds, be they months; without any, never. Gives a function that calls it off. */
export function afterSeconds(seconds: number | undefined, act: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const wait = (leftMs: number) => {
    timer = leftMs > longestMs ? setTimeout(wait, longestMs, leftMs - longestMs) : setTimeout(act, leftMs);
  };
  if (seconds !== undefined) wait(seconds * 1_000);
  return () => clearTimeout(timer);
}

/** Does something, again and again until it gets through or `signal` aborts; `failed` is told each time that it does not. */
export async function insist(
  act: () => Promise<unknown>,
  {
    signal,
    failed,
    everyMs = againMs,
  }: { signal: AbortSignal; failed: (error: unknown) => void; everyMs?: number },
): Promise<void> {
  while (!signal.aborted) {
    try {
      await act();
      return;
    } catch (error) {
      if (signal.aborted) return;
      failed(error);
      await delay(everyMs, undefined, { signal }).catch(() => undefined);
    }
  }
}
