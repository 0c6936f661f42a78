import type { BrokenSlo } from '../experiment/abort-on.ts';
import type { RunIdentity } from '../experiment/identity.ts';
import type { GuardWait, KillAct, KillPlan, KillProof, KillRecord } from '../experiment/kill-record.ts';
import type { PartitionChanges } from '../experiment/partition-changes.ts';
import type { Endpoint } from '../experiment/promotion/channel.ts';
import type { Promotion } from '../experiment/promotion/promotion.ts';
import type { PromotionRecord } from '../experiment/promotion/record.ts';
import type {
  ChaosResult,
  Evidence,
  Judgement,
  Leftover,
  PodEnd,
  ProvisionedKafka,
  StartedLiveness,
  Step,
} from '../experiment/result.ts';
import type { SearchAttributeName } from '../experiment/search-attributes.ts';
import type { StreamSeries } from '../experiment/series.ts';
import type { ResolvedExperiment } from '../experiment/spec.ts';
import type { Asked } from '../experiment/steering.ts';
import type { StreamGlance } from '../experiment/stream-glance.ts';
import type { StreamPart } from '../experiment/stream-part.ts';
import type { ContainerEnds, StreamReport } from '../experiment/stream-report.ts';
import type { UnseenRecovery } from '../experiment/unseen-recovery.ts';
import type { Baseline } from '../experiment/verdict-line.ts';
import type { OpenTimes } from '../experiment/window.ts';

/** What `resolve` found out; nothing but the claim has been made. */
export interface Resolved {
  run: RunIdentity;
  experiment: ResolvedExperiment;
  provisioner: 'existing' | 'kudo';
  /** Name of the StatefulSet that is, or will be, attacked; names the claim. */
  statefulSetName: string;
  /** Epoch ms written as expiry on everything the run makes. */
  expires: number;
  /** Whether the worker may read nodes; where not, a cordon is not seen. */
  seesNodes?: boolean;
  /** How long before a deadline a kill has to be prepared, ms; a second where absent. */
  leadMs?: number;
  /** Said to the person: unused variables, warnings, rewrites. */
  notes: string[];
  versions: Record<string, string>;
  /** Search attributes registered in the Temporal namespace; only these are upserted, an unregistered one would block the run. */
  searchAttributes: SearchAttributeName[];
  /** Digest of what the experiment does; absent in runs that began with an earlier version. */
  specHash?: string;
  /** The last run of the same spec that passed, where there is one. */
  baseline?: Baseline;
}

/** Task queue suffix of what waiting and observing activities can never starve. */
export const criticalSuffix = '-critical';

/** What only that queue carries out. A run has one of them under way at a time. */
export const criticalActivities = ['aim', 'kill', 'cleanUp', 'releaseClaim', 'record'] as const;

/** Task queue suffix of what lasts as long as a run's kills: it would keep its slot from every other step. */
export const watchSuffix = '-watch';

/** What that queue carries out. A run has one of them under way at a time. */
export const watchActivities = ['watchSlo'] as const;

/** Heartbeat details of every activity: what a person is shown while it runs. */
export interface Progress {
  step: Step;
  /** A few short texts: the plan tree, the stream's rate, what the guard waits for. */
  lines: string[];
}

/** What most steps are given. */
export interface RunContext {
  resolved: Resolved;
  kafka: ProvisionedKafka;
}

/** What the kill steps are given besides. */
export interface KillContext extends RunContext {
  liveness: StartedLiveness;
}

/** Whom the kill will hit, or why there is none. */
export type Aim =
  | { outcome: 'aimed'; plan: KillPlan }
  /** The guard did not let it through in time. */
  | { outcome: 'skipped'; reason: string }
  /** The liveness pod or its consumer is no more: no further kill can be judged. */
  | { outcome: 'stream-ended'; reason: string };

/** The act, or why there is to be none: somebody has locked meanwhile, or a line of `abortOn` is broken. Then nothing was done. */
export type Act = KillAct | { outcome: 'locked'; by: Asked } | { outcome: 'slo-broken'; broken: BrokenSlo };

/** How the stream and the partition looked when the run's chaos was over. */
export interface Closing {
  stream?: StreamReport;
  /** Absent where the stream's pod is gone, and from closings of earlier versions. */
  containers?: ContainerEnds;
  livenessPod: PodEnd;
  isrFullAtEnd?: boolean;
  /** Full-ISR times (ms from the request) of kills whose own watch had to end at the next deadline. */
  recoveries: { index: number; timeToFullIsrMs: number }[];
  /** Reports read it from here: it would make the result, which history holds twice, too large. */
  series?: StreamSeries;
  /** What the observer saw since the last part of the stream was taken. */
  changes?: PartitionChanges;
}

/** What a look at a kill gave: its proof, how the stream stood then, and the recovery from the kill before where that was asked for. */
export type Proven = KillProof & { stream?: StreamGlance; recoveries?: Closing['recoveries'] };

/**
 * The activities of `kafkaBrokerFailure`. Each may run twice: it looks before it acts, and treats "already so" as done.
 * Errors are ApplicationFailures whose type is an ErrorCode and whose first detail is the Problem.
 */
export interface Activities {
  /**
   * Validates, fills defaults, checks rights, takes the claim. A run of a schedule is refused with CLUSTER_UNHEALTHY where a person's
   * own would wait.
   */
  resolve(input: unknown, origin?: { scheduledBy?: string }): Promise<Resolved>;
  provision(resolved: Resolved): Promise<ProvisionedKafka>;
  annotate(context: RunContext): Promise<{ former: string | null; annotated: boolean }>;
  startLiveness(context: RunContext): Promise<StartedLiveness>;
  /**
   * Asks who is to be hit and waits for the guard until `until` (epoch ms). Called again after a moved leadership. On the critical
   * task queue.
   */
  aim(
    request: KillContext & {
      index: number;
      deadline: number;
      until: number;
      /** Epoch ms: not before this; half an interval after the kill before, where that is later than the deadline. */
      notBefore?: number;
      /** What the guard had this very kill wait before its target moved. */
      waited?: GuardWait;
    },
  ): Promise<Aim>;
  /** Waits for max(deadline, now), asks once more, deletes with the UID and before notAfter. On the critical task queue. */
  kill(
    request: KillContext & {
      plan: KillPlan;
      /** An earlier step for this plan ran out of its time: it may have acted. */
      answerLost?: boolean;
      /** Planned kills, with those by which the run was extended. */
      kills?: number;
    },
  ): Promise<Act>;
  /** Looks at the stream until a line of `abortOn` is broken. On the task queue of watches. */
  watchSlo(request: {
    resolved: Resolved;
    liveness: StartedLiveness;
    /** Planned kills, with those by which the run was extended. */
    kills?: number;
  }): Promise<BrokenSlo>;
  /** Watches death, new leader and recovery until all is proven or `until` (epoch ms). */
  prove(
    request: KillContext & {
      plan: KillPlan;
      act: KillAct;
      until: number;
      /** The kill before, where its own proof did not live to see the recovery. */
      unseen?: UnseenRecovery[];
    },
  ): Promise<Proven>;
  /**
   * What the pod recorded of one stretch of a long run, epoch ms: below 64 KiB. `until` is absent where the pod did not answer, so that
   * the next part begins where this one should have.
   */
  takePart(request: {
    liveness: StartedLiveness;
    from: number;
    to: number;
  }): Promise<StreamPart & { until?: number }>;
  /** Waits for the ISR, drains the stream, closes the ledger. */
  closeStream(
    request: KillContext & {
      until: number;
      kills: KillRecord[];
      /** Whose recovery their own proof did not live to see. */
      unseen?: UnseenRecovery[];
      /** When the faults of kills could be felt that are not among `kills`, as `packSpans` gives it. */
      earlierSpans?: string;
      /** Until when parts of the stream were taken already, epoch ms. */
      partsUntil?: number;
    },
  ): Promise<Closing>;
  /** Undoes everything, the claim last, each undo verified. On the critical task queue. */
  cleanUp(request: {
    resolved: Resolved;
    kafka?: ProvisionedKafka;
    liveness?: StartedLiveness;
  }): Promise<{ leftovers: Leftover[]; done: string[] }>;
  /**
   * Gives up the claim of a run whose `resolve` may have taken it, and nothing else, before its answer was lost. `input` is what that
   * was given. On the critical task queue.
   */
  releaseClaim(request: { input: unknown }): Promise<{ leftovers: Leftover[]; done: string[] }>;
  /**
   * Writes Events and gives the result as it stands in history. `cancelRun` asks Temporal to cancel the run: a workflow cannot do
   * that to itself, and a run that was stopped by its own `abort` is to end as Canceled too. `pause` names the schedule
   * that this run's verdict pauses.
   */
  record(request: {
    result: ChaosResult;
    resolved?: Resolved;
    cancelRun?: boolean;
    pause?: { scheduleId: string; note: string };
  }): Promise<ChaosResult>;
}

/** Judges; pure. */
export type Judge = (evidence: Evidence) => Judgement;

/** A promotion that may begin. */
export interface CheckedPromotion {
  promotion: Promotion;
  /** What each experiment is, by stage. */
  experiments: { name: string; spec: string; summary: string; details: string }[][];
  /** Address of Temporal's Web UI, where the worker knows it. */
  webUi?: string;
}

/** The activities of `promotion`; errors as those of a run. */
export interface PromotionActivities {
  /** Validates everything that the promotion will need, its secrets included, and gives the experiments' digests. */
  checkPromotion(input: unknown): Promise<CheckedPromotion>;
  /** The record of an ended promotion; undefined where there is none. */
  findRecord(workflowId: string): Promise<PromotionRecord | undefined>;
  /** The first moment (epoch ms) from `now` on that is open; here because the rules of time zones change. */
  nextOpening(request: { times: OpenTimes; now: number }): Promise<number | undefined>;
  /** POSTs JSON, signed where the endpoint names a secret. What a retry cannot mend is not tried again. */
  post(request: { endpoint: Endpoint; body: unknown; idempotencyKey: string }): Promise<{ status: number }>;
  /**
   * Gives the record back, so that history holds it however the promotion ends. One that is Stopped is cancelled: a workflow cannot do
   * that to itself, and it is to end as Canceled whoever asked for it.
   */
  keepRecord(record: PromotionRecord): Promise<PromotionRecord>;
}
