import { problem } from '../experiment/errors.ts';
import { inputInvalid, nearest } from '../experiment/issues.ts';
import { crashBroker } from './crash-broker.ts';
import { deletePod } from './delete-pod.ts';
import type { Fault } from './fault.ts';
import { forceDeletePod } from './force-delete-pod.ts';

/** Every fault there is. */
export const faults: readonly Fault[] = [deletePod, forceDeletePod, crashBroker];

/** What an experiment may name as `fault.kind`. */
export const faultKinds: string[] = faults.map(({ kind }) => kind);

/** Faults that a worker's settings must allow by name. */
export const privilegedKinds: string[] = faults
  .filter(({ privileged }) => privileged)
  .map(({ kind }) => kind);

/** Throws FAULT_NOT_ALLOWED where a privileged fault is not allowed by the experiment and by the worker's settings. */
export function checkAllowed(
  experiment: { fault: { kind: string; privileged: boolean } },
  allowed: string[],
): void {
  const { kind, privileged } = faultOf(experiment);
  if (!privileged) return;
  const evidence = [
    experiment.fault.privileged ? '' : 'fault.privileged: the experiment does not allow it',
    allowed.includes(kind) ? '' : `LEADERFALL_ALLOW_FAULTS: the worker’s settings do not name ${kind}`,
  ].filter(Boolean);
  if (evidence.length === 0) return;
  throw problem('FAULT_NOT_ALLOWED', `fault ${kind} needs a privileged pod on the broker’s node`, {
    evidence,
    next: `Set fault.privileged: true, and LEADERFALL_ALLOW_FAULTS=${kind} on the worker, with the rights in deploy/kustomize/${kind}.`,
  });
}

/** The fault that an experiment names. Throws INPUT_INVALID with the nearest known one. */
export function faultOf({ fault }: { fault: { kind: string } }): Fault {
  const found = faults.find(({ kind }) => kind === fault.kind);
  if (found) return found;
  throw inputInvalid([
    `fault.kind: no fault "${fault.kind}"; there are ${faultKinds.join(', ')}${nearest(fault.kind, faultKinds)}`,
  ]);
}
