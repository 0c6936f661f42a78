import type { InjectingStopped } from './abort-on.ts';
import type { Anomaly, Delivery } from './anomalies.ts';
import type { BilledActions } from './billed-actions.ts';
import type { Problem } from './errors.ts';
import type { RunIdentity } from './identity.ts';
import type { MadeObject, PackageRecord } from './made.ts';
import type { PartitionOutages } from './outage.ts';
import type { StreamSeries } from './series.ts';
import type { ResolvedExperiment } from './spec.ts';
import type { DirectReaderFigures, GroupFigures, MetadataFigures, ProducerOutage } from './stream-figures.ts';
import type { StreamPart } from './stream-part.ts';
import type { Baseline, VerdictLine } from './verdict-line.ts';

/** How a run ended. */
export type Verdict = 'Pass' | 'Fail' | 'Inconclusive' | 'Error' | 'Stopped' | 'Skipped';

/** Steps of a run, in their order. */
export const steps = [
  'resolve',
  'provision',
  'annotate',
  'liveness',
  'kill',
  'evaluate',
  'clean-up',
  'record',
] as const;

/** A step of a run. */
export type Step = (typeof steps)[number];

/** One fact on the timeline. */
export interface TimelineEntry {
  /** RFC 3339 with milliseconds. */
  at: string;
  step: Step;
  text: string;
}

/** Something that the run made and could not remove, and why. */
export interface Leftover {
  kind: string;
  name: string;
  namespace?: string;
  reason: string;
}

/** A StatefulSet whose pods are the brokers. */
export interface StatefulSetRef {
  namespace: string;
  name: string;
  uid: string;
  replicas: number;
  /** Its headless service, where it names one. */
  service?: string;
  /** Ordinal of its first pod, where that is not 0. */
  firstOrdinal?: number;
}

/** The Kafka as `provision` found or made it. */
export interface ProvisionedKafka {
  provisioner: 'existing' | 'kudo';
  statefulSet: StatefulSetRef;
  /** Broker ids by Kafka's metadata. */
  brokerIds: number[];
  /** Images of the broker's container and of KUDO's manager, where they could be seen. */
  images?: { broker?: string; kudo?: string };
  /** Seconds a broker pod is given to shut down (terminationGracePeriodSeconds). */
  gracePeriodSeconds: number;
  /** Live broker settings, by Kafka's names; absent where not observed. */
  settings: Partial<Record<ObservedSetting, string>>;
  /** What this run made, to be removed by clean-up unless `keep`. */
  made: MadeObject[];
  packages: PackageRecord[];
  /** How the worker reached the brokers. */
  reach: 'direct' | 'port-forward';
  notes: string[];
}

/** Broker settings that bound an outage or a clean-up, by Kafka's names. */
export const observedSettings = [
  'zookeeper.session.timeout.ms',
  'broker.session.timeout.ms',
  'replica.lag.time.max.ms',
  'delete.topic.enable',
  'controlled.shutdown.enable',
  'unclean.leader.election.enable',
  'min.insync.replicas',
] as const;

/** A broker setting that is looked at. */
export type ObservedSetting = (typeof observedSettings)[number];

/** The stream, running and steady. */
export interface StartedLiveness {
  namespace: string;
  pod: string;
  podUid: string;
  node: string;
  topic: string;
  replicationFactor: number;
  minInsyncReplicas: number;
  /** Epoch milliseconds, worker's clock: t0, the deadline of the first kill. */
  steadyAt: number;
}

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

/** Latency figures in milliseconds. */
export interface Latency {
  p50: number;
  p99: number;
  max: number;
  count: number;
}

/** What the stream showed. Absent = not observed. */
export interface StreamReport {
  acked: number;
  received: number;
  /** Acked and not read by the end of the closing read. */
  lost: number;
  lostExamples: number[];
  duplicated: number;
  outOfOrder: number;
  /** Sends whose outcome stayed unknown. */
  unknown: number;
  /** Longest silence at the consumer, ms, and when it began (RFC 3339). */
  longestSilenceMs: number;
  longestSilenceAt?: string;
  /** Longest time without an ack at the producer, ms. */
  longestAckGapMs: number;
  sendToAck?: Latency;
  sendToReceive?: Latency;
  /** Times in which the producer got no ack though records were due. `totalMs` is of the partition that had most, `worst`. */
  producerOutage?: { count: number; maxMs: number; totalMs: number; worst?: number };
  /** The longest of them, in the order of time, with what they were made of. */
  producerOutages?: ProducerOutage[];
  metadata?: MetadataFigures;
  group?: GroupFigures;
  directReader?: DirectReaderFigures;
  faultWindows?: FaultWindows;
  /** Times of its outages by the worker's clock. */
  partitionOutages?: PartitionOutages;
  /** Every kind of anomaly that the ledger found, worst first; absent in runs of earlier versions. */
  anomalies?: Anomaly[];
  /** How records were sent and kept: decides which anomaly is within the promise. */
  delivery?: Delivery;
  /** Closing read reached the end of the log. */
  drained: boolean;
  producer: ContainerEnd;
  consumer: ContainerEnd;
  observer: ContainerEnd;
  /** Consumer ended by its own silence time-out, and what a fresh client then saw. */
  silence?: SilenceEnd;
  notes: string[];
}

/** The stream while a fault could be felt, from each kill's request to the full ISR, beside the stream at all other times. */
export interface FaultWindows {
  count: number;
  /** Their length together, ms. */
  totalMs: number;
  /**
   * Send to receive, of the records that were due in a second of a window, and of all others since the stream was steady. One whose
   * send failed counts with the time until its partition took records again.
   */
  inside?: Latency;
  outside?: Latency;
  /** Records among them whose send failed; absent: none, or an earlier image, whose latencies are without them. */
  unsent?: number;
  /** Acks that the worst second of the windows lost against the median of all other seconds, %. */
  throughputDipPercent?: number;
}

/** What a fresh client saw right after the consumer's silence time-out. */
export interface SilenceEnd {
  /** RFC 3339. */
  at: string;
  /** Milliseconds of silence. */
  silentMs: number;
  confirmed: 'outage' | 'stuck-client' | 'not-observed';
  /** One fact a line: leader seen, probe record's error, log end moved … */
  evidence: string[];
}

/** Exit code of a consumer that gave up after its silence time-out. */
export const silenceExitCode = 3;

/** State of one container of the liveness pod at the end. */
export interface ContainerEnd {
  state: 'running' | 'terminated' | 'missing';
  exitCode?: number;
  reason?: string;
}

/** How each container of the liveness pod ended. */
export interface ContainerEnds {
  producer: ContainerEnd;
  consumer: ContainerEnd;
  observer: ContainerEnd;
}

/** State of the liveness pod at the end of the run. */
export interface PodEnd {
  state: 'running' | 'gone' | 'replaced' | 'failed';
  /** Evicted, deleted by somebody, OOMKilled … */
  reason?: string;
}

/** Everything the verdict may rest on. Plain data, small. */
export interface Evidence {
  /** Whose limits count; absent where the input never became one. */
  experiment?: ResolvedExperiment;
  /** What a regression is told against; absent where there is no earlier passed run. */
  baseline?: Baseline;
  plannedKills: number;
  minKills: number;
  kills: KillRecord[];
  killsElsewhere?: KillsElsewhere;
  stream?: StreamReport;
  /** Known also where nothing is of the stream; absent from closings of earlier versions. */
  containers?: ContainerEnds;
  livenessPod?: PodEnd;
  isrFullAtEnd?: boolean;
  /** What ended the run before its time. */
  problem?: Problem;
  cancelled: boolean;
  /** The problem is a reason to leave a scheduled run out: nothing was touched. */
  skipped?: boolean;
  /** Who asked for the end by the run's own `abort`, and why; absent where Temporal's cancel was used. */
  stoppedBy?: { actor: string; reason: string };
  /** A line of `abortOn` was broken: no further kill was made. */
  injectingStopped?: InjectingStopped;
}

/** A verdict and the facts it rests on. */
export interface Judgement {
  verdict: Verdict;
  /** At least one, most important first. */
  reasons: string[];
  failStep?: Step;
  /** All that the verdict follows from, in order. */
  lines: VerdictLine[];
}

/** The result of a run: the one object that `record` returns. */
export interface ChaosResult {
  schema: 'leaderfall.io/result/v1';
  run: RunIdentity;
  name: string;
  verdict: Verdict;
  reasons: string[];
  failStep?: Step;
  /** All that the verdict follows from, in order; absent in results of earlier versions. */
  lines?: VerdictLine[];
  /** Digest of what the experiment does; runs with the same can be compared. */
  specHash?: string;
  problem?: Problem;
  /** RFC 3339. */
  startedAt: string;
  endedAt: string;
  experiment?: ResolvedExperiment;
  kafka?: ProvisionedKafka;
  plannedKills: number;
  kills: KillRecord[];
  /** Set where a long run carried only some of its kills on, until whoever reads all of its histories puts the others in. */
  killsElsewhere?: KillsElsewhere;
  /** A line of `abortOn` was broken: no further kill was made. */
  injectingStopped?: InjectingStopped;
  stream?: StreamReport;
  leftovers: Leftover[];
  timeline: TimelineEntry[];
  versions: Record<string, string>;
  /** The stream over time. Put in by whoever reads the run's history, where the closing of the stream holds it once. */
  series?: StreamSeries;
  /** What its histories hold of single stretches of it, in their order. Put in by whoever reads them. */
  parts?: StreamPart[];
  /** Temporal Actions by the run's histories, which hold no heartbeats. Put in by whoever reads them. */
  actions?: BilledActions;
}
