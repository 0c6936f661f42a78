import { execa } from 'execa';

/** Runs a command to its end and gives its standard output, trimmed. The error of a failed one holds its output. */
export async function run(
  command: string,
  args: string[],
  options: { cwd?: string; env?: Record<string, string>; input?: string } = {},
): Promise<string> {
  const { stdout } = await execa(command, args, {
    ...options,
    stdin: options.input === undefined ? 'ignore' : 'pipe',
  });
  return stdout;
}

/** Whether a command ends with exit code 0; its output is not looked at. */
export async function succeeds(command: string, args: string[]): Promise<boolean> {
  const { exitCode } = await execa(command, args, { reject: false, stdin: 'ignore' });
  return exitCode === 0;
}

/** Waits until `look` gives true, looking every 100 ms; throws with `what` when the time is over. */
export async function until(
  what: string,
  seconds: number,
  look: () => Promise<boolean> | boolean,
): Promise<void> {
  const deadline = Date.now() + seconds * 1_000;
  for (;;) {
    if (await look()) return;
    if (Date.now() > deadline) throw new Error(`${what}: not so after ${seconds} s`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
