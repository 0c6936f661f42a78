/** Says what is being done and, once it is over, how long it took. Quick steps (under 0.2 s) stay silent unless they fail. */
export async function step<T>(what: string, work: () => Promise<T>): Promise<T> {
  const started = Date.now();
  const seconds = () => `${((Date.now() - started) / 1_000).toFixed(1)} s`;
  const slow = setInterval(() => say(`  … ${what} (${seconds()})`), 15_000);
  try {
    const result = await work();
    if (Date.now() - started > 200) say(`  ✓ ${what} (${seconds()})`);
    return result;
  } catch (error) {
    say(`  ✗ ${what} (${seconds()})`);
    throw error;
  } finally {
    clearInterval(slow);
  }
}

/** One line for the person; standard error, so that `env` and `kubectl` keep standard output to themselves. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
