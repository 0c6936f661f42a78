import { spawnSync } from 'node:child_process';

/**
 * Lets this process, all threads of it, go before others, where it may (root alone may). Proxy and observer are the instrument: in a
 * cluster the observer has CPU by its pod's request, here it shares two cores with brokers and clients. A nice value would not do: it ranks a
 * thread among those of its own session alone, where the kernel groups tasks by session (`sched_autogroup_enabled`).
 */
export function takePrecedence(): void {
  const asked = ['--rr', '--all-tasks', '--pid', '1', `${process.pid}`];
  const { status } = spawnSync('chrt', asked, { stdio: 'ignore' });
  // Then it is one of many, and its pauses are in the figures.
  if (status !== 0)
    console.error('chrt gives no precedence here: what else runs on this machine is in the figures');
}
