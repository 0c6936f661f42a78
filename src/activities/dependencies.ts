import type { RunIdentity } from '../experiment/identity.ts';
import type { Taken } from '../experiment/kill-budget.ts';
import type { Lock } from '../experiment/lock.ts';
import type { WorkerPolicy } from '../experiment/policy.ts';
import type { WorkerDefaults } from '../experiment/resolve.ts';
import type { SearchAttributeName } from '../experiment/search-attributes.ts';
import type { Baseline } from '../experiment/verdict-line.ts';
import type { ConnectKafka } from '../kafka/port.ts';
import type { KubernetesPort } from '../kubernetes/port.ts';
import type { Progress } from './contract.ts';

/** The little that steps say to the worker's log. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** `over`: closed, or unknown to its Temporal; `elsewhere`: it is another Temporal's. */
export type RunState = 'running' | 'over' | 'elsewhere';

/** What the worker gives to the activities. */
export interface ActivityDependencies {
  kubernetes: KubernetesPort;
  connectKafka: ConnectKafka;
  defaults: WorkerDefaults;
  policy: WorkerPolicy;
  /** Asks for one kill out of those that an hour has; the same key twice is one kill. Throws where Temporal cannot be asked. */
  takeKill(key: string, perHour: number): Promise<Taken>;
  /** Id of the worker's Temporal namespace as it is now; undefined where it cannot be learnt. */
  temporalNamespaceId(): Promise<string | undefined>;
  /**
   * How the run `<temporal namespace>/<workflow id>/<run id>` stands; `temporalNamespaceId` where the owner's is known. Throws where
   * Temporal cannot be asked.
   */
  runState(owner: string, temporalNamespaceId?: string): Promise<RunState>;
  /** The owner of that run id, where this Temporal namespace knows it. Throws where Temporal cannot be asked. */
  ownerOfRun(runId: string): Promise<string | undefined>;
  /** Who has locked the Temporal namespace, if anybody, as it is now. Throws where Temporal cannot be asked. */
  readLock(): Promise<Lock | undefined>;
  /** Asks Temporal to cancel a run; a run that is closed or unknown is left as it is. */
  cancelRun(run: RunIdentity): Promise<void>;
  /** Shows what a step says in its run's current details. */
  showProgress(run: RunIdentity, progress: Progress): Promise<void>;
  pauseSchedule(scheduleId: string, note: string): Promise<void>;
  registeredSearchAttributes(): Promise<SearchAttributeName[]>;
  /** The newest run that passed with a spec of this digest. May throw and may take long. */
  lastPassed(specHash: string, registered: SearchAttributeName[]): Promise<Baseline | undefined>;
  /** Versions for the result: leaderfall, node, temporal … */
  versions: Record<string, string>;
  log: Log;
}
