import { setTimeout as delay } from 'node:timers/promises';

/** Waits; rejects at once when the signal aborts. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms > 0) await delay(ms, undefined, { signal });
  else signal.throwIfAborted();
}

/**
 * Calls `look` every `everyMs` until it gives something or `until` (epoch ms) has passed.
 * Undefined: time is over. Errors of `look` are the caller's to handle inside it.
 */
export async function poll<T>(
  look: () => Promise<T | undefined>,
  options: { everyMs: number; until: number; signal: AbortSignal },
): Promise<T | undefined> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() + options.everyMs > options.until) return undefined;
    await pause(options.everyMs, options.signal);
  }
}
