import { AsyncLocalStorage } from 'node:async_hooks';

/** The step that the code runs in, with how many steps inside it are going on. */
const around = new AsyncLocalStorage<{ inner: number }>();

/** Errors that a step inside has already been blamed for. */
const told = new WeakSet<object>();

/**
 * Says what is being done and, once it is over, how long it took. Quick steps (under 0.2 s) stay silent unless they fail. Of steps
 * inside one another only the innermost says that it goes on, or that it failed.
 */
export async function step<T>(what: string, work: () => Promise<T>): Promise<T> {
  const outer = around.getStore();
  const own = { inner: 0 };
  const started = Date.now();
  const seconds = () => `${((Date.now() - started) / 1_000).toFixed(1)} s`;
  const slow = setInterval(() => {
    if (own.inner === 0) say(`  … ${what} (${seconds()})`);
  }, 15_000);
  if (outer) outer.inner++;
  try {
    const result = await around.run(own, work);
    if (Date.now() - started > 200) say(`  ✓ ${what} (${seconds()})`);
    return result;
  } catch (error) {
    if (!told.has(error as object)) say(`  ✗ ${what} (${seconds()})`);
    told.add(error as object);
    throw error;
  } finally {
    if (outer) outer.inner--;
    clearInterval(slow);
  }
}

/** One line for the person; standard error, so that `env` and `kubectl` keep standard output to themselves. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
