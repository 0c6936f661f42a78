import { createInterface } from 'node:readline/promises';
import { problem } from '../experiment/errors.ts';

/** What Ctrl-C does to a run that is being watched. */
export type InterruptPolicy = 'ask' | 'abort' | 'detach';

/** The flag decides; else a person at a terminal is asked; else CI aborts what nobody would come back to, and others detach. */
export function interruptPolicy(options: { flag?: string; terminal: boolean; ci: boolean }): InterruptPolicy {
  if (options.flag === 'abort' || options.flag === 'detach') return options.flag;
  if (options.flag !== undefined) {
    throw problem('INPUT_INVALID', `--on-interrupt takes abort or detach, not ${options.flag}`);
  }
  if (options.terminal) return 'ask';
  return options.ci ? 'abort' : 'detach';
}

/** The policy for this process. */
export function policyOfProcess(flag: string | undefined): InterruptPolicy {
  const terminal = process.stdin.isTTY === true && process.stderr.isTTY === true;
  const { CI } = process.env;
  return interruptPolicy({
    flag,
    terminal,
    ci: CI !== undefined && CI !== '' && CI !== 'false' && CI !== '0',
  });
}

/**
 * Calls `abort` or `detach` on SIGINT, SIGTERM and SIGHUP by the policy. A second signal while a person is being asked, or
 * after the abort, detaches: the run is safe in Temporal. Gives a function that takes the handlers off again.
 */
export function onInterrupt(
  policy: InterruptPolicy,
  acts: { abort(): void; detach(): void; ask(signal: AbortSignal): Promise<'abort' | 'detach'> },
): () => void {
  let answered = false;
  const asking = new AbortController();
  const handle = async () => {
    if (answered) {
      asking.abort();
      acts.detach();
      return;
    }
    answered = true;
    const choice = policy === 'ask' ? await acts.ask(asking.signal) : policy;
    if (asking.signal.aborted) return;
    if (choice === 'abort') acts.abort();
    else acts.detach();
  };
  const listener = () => void handle();
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, listener);
  return () => {
    asking.abort();
    for (const signal of signals) process.off(signal, listener);
  };
}

/** Asks the person; no answer and a closed input mean detach, which loses nothing. */
export async function askAbort(signal: AbortSignal): Promise<'abort' | 'detach'> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  // The line editor swallows Ctrl-C: hand it back as the signal that it is.
  lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  try {
    const answer = await lines.question('\nAbort the run and clean up (a), or only stop watching (s)? [s] ', {
      signal,
    });
    return answer.trim().toLowerCase().startsWith('a') ? 'abort' : 'detach';
  } catch {
    return 'detach';
  } finally {
    lines.close();
  }
}
