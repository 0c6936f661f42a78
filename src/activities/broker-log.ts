import type { KillPlan } from '../experiment/kill-record.ts';
import { readLine, type ShutdownLog, silentLog } from '../faults/shutdown-log.ts';
import { pause } from '../kubernetes/wait.ts';
import type { ActivityDependencies } from './dependencies.ts';

/** A log that is followed without anybody asking for it is let go after this. ms */
const keptMs = 900_000;

/** How long a log may take to show its last line that is there already. ms */
const openMs = 2_000;

interface Followed {
  log: ShutdownLog;
  /** Nothing of the shutdown was missed. */
  open: boolean;
  /** The container's end; the log is whole. */
  ended: boolean;
  stop(): void;
}

/** Between kill and prove, which are two steps of one worker; another worker has no log to show. */
const followed = new WeakMap<ActivityDependencies, Map<string, Followed>>();

/**
 * Follows the log of the plan's broker from before its death: of a pod deleted by force nothing can be asked afterwards. Resolves
 * when it is being followed, or cannot be.
 */
export async function followBrokerLog(deps: ActivityDependencies, plan: KillPlan): Promise<void> {
  const { container } = plan;
  const all = followed.get(deps) ?? new Map<string, Followed>();
  followed.set(deps, all);
  if (!container || all.has(container.id)) return;
  const stopped = new AbortController();
  const opened = Promise.withResolvers<void>();
  const entry: Followed = { log: silentLog(), open: false, ended: false, stop: () => stopped.abort() };
  all.set(container.id, entry);
  const pod = { namespace: plan.namespace, name: plan.pod };
  const follow = async () => {
    const patience = setTimeout(() => stopped.abort(), keptMs).unref();
    for await (const line of deps.kubernetes.followLog(pod, container.name, stopped.signal)) {
      entry.open = true;
      opened.resolve();
      readLine(entry.log, line);
    }
    clearTimeout(patience);
    entry.ended = !stopped.signal.aborted;
    opened.resolve();
  };
  void follow().catch(opened.resolve);
  await Promise.race([opened.promise, pause(openMs, stopped.signal).catch(() => {})]);
}

/** What the log of the plan's broker showed so far; undefined where it was not followed. */
export function brokerLog(
  deps: ActivityDependencies,
  { container }: KillPlan,
): { log: ShutdownLog; ended: boolean } | undefined {
  const entry = container && followed.get(deps)?.get(container.id);
  return entry?.open ? entry : undefined;
}

/** Lets a log go that nobody will ask for any more. */
export function dropBrokerLog(deps: ActivityDependencies, { container }: KillPlan): void {
  if (!container) return;
  followed.get(deps)?.get(container.id)?.stop();
  followed.get(deps)?.delete(container.id);
}
