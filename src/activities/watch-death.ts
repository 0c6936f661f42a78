import type { KillPlan } from '../experiment/kill-record.ts';
import { problemWithoutHosts } from '../experiment/without-hosts.ts';
import { bareId, type ContainerStatus, type Pod, type Termination } from '../kubernetes/workloads.ts';
import type { ActivityDependencies } from './dependencies.ts';

/** What the API server showed of the victim of a plan and of its successor. */
export interface SeenDeath {
  /** The pod with the plan's UID is no more. Epoch ms. */
  goneAt?: number;
  terminatingAt?: number;
  /** The end of the very container life of the plan. */
  exitCode?: number;
  exitReason?: string;
  evicted?: string;
  replacementUid?: string;
  /** Restarts of the successor: of the new pod's containers, or of the broker's container after its first return. */
  replacementRestarts?: number;
}

/** Follows the pod of a plan from the plan's resourceVersion on. */
export function watchDeath(
  deps: ActivityDependencies,
  plan: KillPlan,
  signal: AbortSignal,
): { seen(): SeenDeath; stop(): void } {
  const seen: SeenDeath = {};
  const ended = new AbortController();
  const both = AbortSignal.any([signal, ended.signal]);
  const kind = { apiVersion: 'v1', kind: 'Pod', namespace: plan.namespace };
  const options = { field: `metadata.name=${plan.pod}`, resourceVersion: plan.resourceVersion, signal: both };
  const follow = async () => {
    for await (const { type, object } of deps.kubernetes.watch<Pod>(kind, options)) {
      if (object.metadata?.uid === plan.podUid) noteVictim(seen, plan, object, type === 'DELETED');
      else noteSuccessor(seen, object);
    }
  };
  const following = follow().catch((error: unknown) =>
    deps.log.warn({ problem: problemWithoutHosts(error), pod: plan.pod }, 'the watch on the victim ended'),
  );
  return {
    seen: () => seen,
    stop: () => {
      ended.abort();
      void following;
    },
  };
}

function noteSuccessor(seen: SeenDeath, pod: Pod): void {
  seen.goneAt ??= Date.now();
  seen.replacementUid = pod.metadata?.uid;
  seen.replacementRestarts = Math.max(
    0,
    ...(pod.status?.containerStatuses ?? []).map((container) => container.restartCount),
  );
}

/** What the victim's own pod shows. */
export function noteVictim(seen: SeenDeath, plan: KillPlan, pod: Pod, deleted: boolean): void {
  if (deleted) seen.goneAt ??= Date.now();
  if (pod.metadata?.deletionTimestamp) seen.terminatingAt ??= Date.now();
  if (pod.status?.reason === 'Evicted') seen.evicted = pod.status.message ?? 'Evicted';
  const statuses = pod.status?.containerStatuses ?? [];
  const { container } = plan;
  const exit = container ? endOf(statuses, container) : worstEnd(statuses);
  if (exit) {
    seen.exitCode = exit.exitCode;
    seen.exitReason = exit.reason;
  }
  const now = container && statuses.find(({ name }) => name === container.name);
  const returns = now ? now.restartCount - container.restarts : 0;
  if (returns > 0) seen.replacementRestarts = returns - 1;
}

/** How that life of the container ended; a later life's end is another story. */
function endOf(
  statuses: ContainerStatus[],
  { name, id }: NonNullable<KillPlan['container']>,
): Termination | undefined {
  const status = statuses.find((one) => one.name === name);
  return [status?.state?.terminated, status?.lastState?.terminated].find(
    (end) => end?.containerID !== undefined && bareId(end.containerID) === id,
  );
}

/** Of containers that cannot be told apart, the broker is the one whose end says more than an exporter's plain one. */
function worstEnd(statuses: ContainerStatus[]): Termination | undefined {
  const ends = statuses.flatMap(({ state }) => state?.terminated ?? []);
  return ends.sort((a, b) => b.exitCode - a.exitCode)[0];
}
