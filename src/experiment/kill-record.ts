/** How long the guard has made a kill wait beyond its deadline (ms), and for what reasons. */
export type GuardWait = Pick<KillPlan, 'guardWaitMs' | 'guardReasons'>;

/** Whom the next kill will hit; recorded before the act. */
export interface KillPlan {
  /** 0, 1, 2 … */
  index: number;
  /** Epoch milliseconds. */
  deadline: number;
  /** Epoch milliseconds after which the act must not happen. */
  notAfter: number;
  broker: number;
  pod: string;
  namespace: string;
  podUid: string;
  /** From which the death is watched. */
  resourceVersion: string;
  /** Node of the pod. */
  node?: string;
  /** The broker's container; absent where the pod's containers do not tell. */
  container?: BrokerContainer;
  /** The partition's leader when the plan was made; equals `broker` for target leader. */
  leader: number;
  /** -1 where not observed. */
  leaderEpoch: number;
  isr: number[];
  replicas: number[];
  controller: number;
  /** Milliseconds that the guard made the kill wait beyond its deadline. */
  guardWaitMs: number;
  /** What the guard waited for. */
  guardReasons: string[];
}

/** A container that runs a broker. Its id changes with each restart, so it names one life of one process. */
export interface BrokerContainer {
  name: string;
  /** As in the pod's status, without the runtime's scheme. */
  id: string;
  restarts: number;
}

/** What happened at the deadline. */
export type KillAct =
  | {
      /** The pod was deleted, or the broker's process was sent SIGKILL. */
      outcome: 'deleted' | 'killed';
      /** Epoch ms, worker's clock, at the sending of the request. */
      requestedAt: number;
      /** Epoch ms at the API server's answer. */
      answeredAt: number;
      /** deletionTimestamp of the pod less its grace, whole seconds, RFC 3339; absent where the object went at once. */
      apiTime?: string;
      gracePeriodSeconds: number;
      /** The pod was already terminating from an earlier attempt of this very kill. */
      repeated: boolean;
      /** From SIGKILL to the death of that very process, as seen on its node, ms; absent where nobody there saw it. */
      endedAfterMs?: number;
      /** Why it may have been somebody else's doing. */
      doubt?: string;
    }
  /** The target or the guard changed before the deadline: aim again. */
  | { outcome: 'moved'; reason: string; at: number }
  | { outcome: 'skipped'; reason: string; at: number };

/** An act that was carried out. */
export type CarriedOut = Extract<KillAct, { outcome: 'deleted' | 'killed' }>;

/** Whether an act was carried out. */
export function wasCarriedOut(act: KillAct | undefined): act is CarriedOut {
  return act?.outcome === 'deleted' || act?.outcome === 'killed';
}

/**
 * Kinds of death. `controlled-shutdown`: leadership was handed over and the process ended by itself. `terminated`: SIGTERM, and an
 * end without that, by SIGKILL when the grace was over. `crashed`: SIGKILL out of the blue.
 */
export const deaths = ['controlled-shutdown', 'terminated', 'crashed', 'not proven'] as const;

/** A kind of death. */
export type Death = (typeof deaths)[number];

/** How long the partitions of a broker may be unavailable after its death. */
export interface OutageBound {
  /** Undefined where the settings were not observed. */
  ms?: number;
  /** What it rests on, one fact a line. */
  because: string[];
}

/** How the broker was seen to die, and the partition to recover. Times in epoch ms; absent = not observed. */
export interface KillProof {
  proven: boolean;
  /** What the proof rests on, one fact a line. */
  evidence: string[];
  death?: Death;
  /** What this death should cost at most, by the brokers' live settings. */
  expectedOutage?: OutageBound;
  /** Longest outage of partition 0, by which kills are aimed, from the request on, as the observer's probes saw it, ms; 0 where they saw none. */
  outageMs?: number;
  podGoneAt?: number;
  /** Observer's held connection to the broker closed. Observer's clock, corrected to the worker's. */
  processGoneAt?: number;
  exitCode?: number;
  exitReason?: string;
  newLeader?: number;
  newLeaderAt?: number;
  newLeaderEpoch?: number;
  /** Milliseconds from the request to the first sight of another leader. */
  timeToNewLeaderMs?: number;
  /** Milliseconds from the request to all replicas in sync again. */
  timeToFullIsrMs?: number;
  replacementUid?: string;
  /** Restarts of the replacement's containers seen by the end of the watch. */
  replacementRestarts?: number;
  /** The pod was deleted or evicted by somebody else before our request. */
  foreign?: string;
}

/** One kill, whole. */
export interface KillRecord {
  index: number;
  /** RFC 3339. */
  deadline: string;
  status: 'proven' | 'unproven' | 'skipped';
  /** Why it was skipped or is not proven. */
  reason?: string;
  plan?: KillPlan;
  act?: KillAct;
  proof?: KillProof;
  /** Request less max(deadline, end of guard wait), ms. */
  latenessMs?: number;
  /** Times the target was chosen anew because leadership had moved. */
  retargets: number;
}

/** Kills of a run that went on in a new history whose records are only in those before it; how many came to what. */
export type KillsElsewhere = Record<KillRecord['status'], number>;
