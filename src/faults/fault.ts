import type { RunIdentity } from '../experiment/identity.ts';
import type { Death, KillAct, KillPlan } from '../experiment/kill-record.ts';
import type { Leftover } from '../experiment/result.ts';
import type { ResolvedExperiment } from '../experiment/spec.ts';
import type { KubernetesPort, Permission } from '../kubernetes/port.ts';

/** The victim and what a fault may use against it. */
export interface FaultContext {
  kubernetes: KubernetesPort;
  experiment: ResolvedExperiment;
  run: RunIdentity;
  /** Epoch ms written as expiry on whatever the fault makes. */
  expires: number;
  /** Name of the StatefulSet, which names the claim. */
  statefulSet: string;
  plan: KillPlan;
  /** What the process is given between SIGTERM and SIGKILL, s. */
  graceSeconds: number;
  /** From 1. */
  attempt: number;
  /** No attempt will act any more: what an earlier one has sent is waited for as long as it may still come. */
  last?: boolean;
  now: () => number;
  signal: AbortSignal;
}

/** What a fault is told before the stream begins. */
export interface Preparation {
  kubernetes: KubernetesPort;
  experiment: ResolvedExperiment;
  run: RunIdentity;
  /** Epoch ms written as expiry on whatever is made. */
  expires: number;
  /** Nodes of the brokers' pods, each once, in order. */
  nodes: string[];
  /** Epoch ms; nothing is waited for after it. */
  until: number;
  signal: AbortSignal;
}

/** What can be done to a broker. A new fault is one file that exports one of these. */
export interface Fault {
  kind: string;
  /** What it does and what it is not, one clause. */
  does: string;
  /** The deaths that it is meant to bring; any other is not this fault's doing. */
  deaths: readonly Death[];
  /** Off unless the experiment (`fault.privileged`) and the worker's settings both allow it. */
  privileged: boolean;
  /** How long before a deadline the kill must be prepared. ms */
  leadMs: number;
  /** What a broker whose pod has that grace period is given between SIGTERM and SIGKILL, s. */
  grace(experiment: ResolvedExperiment, podSeconds: number): number;
  /** Rights it needs beyond those of every run, in the given namespace. */
  permissions(namespace: string): Permission[];
  /** Whether it can be carried out at all; throws LeaderfallError. Before anything is touched. */
  check?(context: { kubernetes: KubernetesPort; experiment: ResolvedExperiment }): Promise<void>;
  /** Does beforehand, while the stream begins, what would take too long before a deadline. Twice like once. */
  prepare?(context: Preparation): Promise<void>;
  /**
   * Gets everything ready before the deadline, so that the act is one request, and leaves a mark by which a later attempt knows
   * whether this one came to the act. Gives the outcome where the act cannot be.
   */
  arm(context: FaultContext): Promise<KillAct | undefined>;
  /** Acts on exactly the victim of the plan (by UID, or by container id), never after `plan.notAfter`. */
  act(context: FaultContext): Promise<KillAct>;
  /** This attempt comes to no act: takes back what `arm` did, as far as another attempt (`failed`) has no use for it. */
  standDown(context: FaultContext, why: 'called-off' | 'failed'): Promise<void>;
  /** For a second attempt: what an earlier one, or somebody else, has done to the plan's victim; undefined where nothing. */
  alreadyDone(context: FaultContext): Promise<KillAct | undefined>;
  /**
   * The place for the undo of a fault that lasts (a partition of the network, a full disk), which none does yet: ends what `act` began,
   * twice like once. `act` must then set a dead-man's switch as well, on the broker's side: what nobody reverts ends by itself at a
   * moment that the plan names, for worker and API server may be gone by then.
   */
  revert?(context: FaultContext): Promise<void>;
  /** Removes what the fault made for a run, and sees it gone. */
  cleanUp?(context: {
    kubernetes: KubernetesPort;
    run: RunIdentity;
    signal: AbortSignal;
  }): Promise<{ done?: string; leftovers?: Leftover[] }>;
}
