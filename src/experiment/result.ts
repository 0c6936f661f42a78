import type { InjectingStopped } from './abort-on.ts';
import type { BilledActions } from './billed-actions.ts';
import type { Problem } from './errors.ts';
import type { RunIdentity } from './identity.ts';
import type { KillRecord, KillsElsewhere } from './kill-record.ts';
import type { MadeObject, PackageRecord } from './made.ts';
import type { StreamSeries } from './series.ts';
import type { ResolvedExperiment } from './spec.ts';
import type { StreamPart } from './stream-part.ts';
import type { ContainerEnds, StreamReport } from './stream-report.ts';
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
