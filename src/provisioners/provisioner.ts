import type { RunIdentity } from '../experiment/identity.ts';
import type { Leftover, MadeObject, PackageRecord, StatefulSetRef } from '../experiment/result.ts';
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
  /** Called whenever there is something new to show; one short text a line, e.g. the plan tree. */
  progress: (lines: string[]) => void;
}

/** The StatefulSet that came to be, and what was made for it. */
export interface Provision {
  statefulSet: StatefulSetRef;
  gracePeriodSeconds: number;
  made: MadeObject[];
  packages: PackageRecord[];
  notes: string[];
}

/** How a Kafka comes to be. A new operator is one file that exports one of these. */
export interface Provisioner {
  name: 'existing' | 'kudo';
  /** Rights it needs, as data, checked before anything is touched. */
  permissions(context: { kubernetes: KubernetesPort; experiment: ResolvedExperiment }): Promise<Permission[]>;
  /** Checks that need no effect: package readable, parameters declared, RF against BROKER_COUNT. Throws LeaderfallError. */
  check(context: Omit<ProvisionContext, 'progress'>): Promise<{ statefulSetName: string; notes: string[] }>;
  /** Brings it up or finds it; idempotent at every point; ends when it is whole. */
  provision(context: ProvisionContext): Promise<Provision>;
  /** Removes what this run made (found by run label, not by memory), verified; idempotent. */
  remove(context: ProvisionContext): Promise<Leftover[]>;
}
