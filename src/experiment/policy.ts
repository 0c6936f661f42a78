import { problem } from './errors.ts';
import { isOpenAt, nextOpening, type OpenTimes } from './window.ts';

/** What a worker lets no experiment do, whatever the experiment says. */
export interface WorkerPolicy {
  /** `<namespace>` or `<namespace>/<StatefulSet>`, `*` for any characters: never touched. */
  protectedTargets?: string[];
  /** When a kill may be made; without it always. */
  killTimes?: OpenTimes;
  /** At most so many kills in any hour, over all runs of the Temporal namespace whose workers have a limit. */
  maxKillsPerHour?: number;
}

/** Whose Kafka it is; the StatefulSet may not be known yet. */
export interface PolicyTarget {
  namespace: string;
  statefulSet?: string;
}

/** Throws TARGET_PROTECTED or OUTSIDE_KILL_TIMES where the policy lets no run begin at `now` (epoch ms). */
export function checkPolicy(policy: WorkerPolicy, target: PolicyTarget, now: number): void {
  const pattern = protecting(policy, target);
  if (pattern) {
    throw problem('TARGET_PROTECTED', `${targetText(target)} is protected on this worker`, {
      evidence: [`LEADERFALL_PROTECTED: ${pattern}`],
      next: 'Choose another target, or another worker.',
    });
  }
  const shut = shutUntil(policy, now);
  if (shut) {
    throw problem('OUTSIDE_KILL_TIMES', `this worker makes no kill now${shut}`, {
      evidence: [`LEADERFALL_KILL_TIMES: ${JSON.stringify(policy.killTimes)}`],
      next: 'Start it when they are open.',
    });
  }
}

/** Why the policy, which may have changed since the run began, holds a kill at `now` (epoch ms). Empty: it does not. */
export function policyReasons(policy: WorkerPolicy, target: PolicyTarget, now: number): string[] {
  const pattern = protecting(policy, target);
  const shut = shutUntil(policy, now);
  return [
    ...(pattern
      ? [`${targetText(target)} is protected on this worker (LEADERFALL_PROTECTED: ${pattern})`]
      : []),
    ...(shut ? [`this worker makes no kill now${shut} (LEADERFALL_KILL_TIMES)`] : []),
  ];
}

/** From when on (epoch ms) the policy lets a kill be: `now` where it does; never where it may not be. */
export function mayKillFrom(policy: WorkerPolicy, target: PolicyTarget, now: number): number {
  const { killTimes } = policy;
  if (protecting(policy, target)) return Number.POSITIVE_INFINITY;
  if (!killTimes) return now;
  return nextOpening(killTimes, now) ?? Number.POSITIVE_INFINITY;
}

/** The pattern that protects a target. One that names a StatefulSet says nothing of a namespace as a whole, but for `<namespace>/*`. */
function protecting({ protectedTargets = [] }: WorkerPolicy, target: PolicyTarget): string | undefined {
  return protectedTargets.find((pattern) => {
    const [namespace = '', statefulSet = '*'] = pattern.split('/');
    return (
      fits(namespace, target.namespace) && (statefulSet === '*' || fits(statefulSet, target.statefulSet))
    );
  });
}

function fits(pattern: string, name: string | undefined): boolean {
  const expression = pattern.replaceAll('.', '\\.').replaceAll('*', '.*');
  return name !== undefined && new RegExp(`^${expression}$`).test(name);
}

function targetText({ namespace, statefulSet }: PolicyTarget): string {
  return statefulSet ? `StatefulSet ${namespace}/${statefulSet}` : `namespace ${namespace}`;
}

/** `, but from … on`, or undefined where it is open. */
function shutUntil({ killTimes }: WorkerPolicy, now: number): string | undefined {
  if (!killTimes || isOpenAt(killTimes, now)) return undefined;
  const opens = nextOpening(killTimes, now);
  return opens === undefined ? ', nor within a year' : `, but from ${new Date(opens).toISOString()} on`;
}
