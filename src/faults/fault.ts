import type { KillAct, KillPlan } from '../experiment/result.ts';
import type { KubernetesPort, Permission } from '../kubernetes/port.ts';

/** What can be done to a broker. A new fault is one file that exports one of these. */
export interface Fault {
  kind: string;
  /** Rights it needs beyond those of every run, in the given namespace. */
  permissions(namespace: string): Permission[];
  /**
   * Acts on exactly the pod of the plan (by UID), never after `plan.notAfter`.
   * `attempt` counts from 1; a later attempt looks first, and what an earlier one has done counts as done.
   */
  act(
    kubernetes: KubernetesPort,
    plan: KillPlan,
    options: { gracePeriodSeconds: number; attempt: number; now: () => number },
  ): Promise<KillAct>;
  /** What an earlier attempt has already done to the plan's pod; undefined where nothing. */
  alreadyDone(kubernetes: KubernetesPort, plan: KillPlan): Promise<KillAct | undefined>;
}
