import type { Belonging, RunIdentity, Standing } from '../experiment/identity.ts';
import type { MadeObject, PackageRecord } from '../experiment/made.ts';
import type { Leftover, StatefulSetRef } from '../experiment/result.ts';
import type { ResolvedExperiment } from '../experiment/spec.ts';
import type { KubernetesPort, Permission } from '../kubernetes/port.ts';

/** What a provisioner is given: ports and the run, never globals. */
export interface ProvisionContext {
  kubernetes: KubernetesPort;
  experiment: ResolvedExperiment;
  run: RunIdentity;
  /** Epoch ms written as expiry on everything made. */
  expires: number;
  signal: AbortSignal;
  /** Whether another run still needs what it made. Never throws. */
  standing: (made: Belonging) => Promise<Standing>;
  /** Called whenever there is something new to show; one short text a line, e.g. the plan tree. */
  progress: (lines: string[]) => void;
}

/** What bringing a Kafka up is given besides. */
export interface Provisioning extends ProvisionContext {
  /** Epoch ms by which all of it is up, or is given up. */
  deadline: number;
}

/** The StatefulSet that came to be, and what was made for it. */
export interface Provision {
  statefulSet: StatefulSetRef;
  gracePeriodSeconds: number;
  made: MadeObject[];
  packages: PackageRecord[];
  /** Image of the operator's manager, where it can be seen. */
  managerImage?: string;
  notes: string[];
}

/** What can be said beforehand. */
export interface Checked {
  statefulSetName: string;
  /** The StatefulSet is there and is taken as it is; false: the run makes it. */
  isThere: boolean;
  /** It is somebody's: no run made it. */
  needsOptIn: boolean;
  /** Names of what the run makes of its own and clean-up removes; empty where all is there. */
  makes: string[];
  /** Names of the brokers' pods, whether they are up or not; absent where how many there will be is not known. */
  pods?: string[];
  notes: string[];
}

/** How a Kafka comes to be. A new operator is one file that exports one of these. */
export interface Provisioner {
  name: 'existing' | 'kudo';
  /** Rights it needs, as data, checked before anything is touched. */
  permissions(context: { kubernetes: KubernetesPort; experiment: ResolvedExperiment }): Promise<Permission[]>;
  /** Checks that need no effect: package readable, parameters declared, RF against BROKER_COUNT. Throws LeaderfallError. */
  check(context: Omit<ProvisionContext, 'progress'>): Promise<Checked>;
  /** Brings it up or finds it; idempotent at every point; ends when it is whole. Throws TIMED_OUT after the deadline. */
  provision(context: Provisioning): Promise<Provision>;
  /** Removes what this run made (found by run label, not by memory), verified; idempotent. */
  remove(context: ProvisionContext): Promise<Leftover[]>;
}
