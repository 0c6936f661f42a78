import { inputInvalid, nearest } from '../experiment/issues.ts';
import { deletePod } from './delete-pod.ts';
import type { Fault } from './fault.ts';
import { forceDeletePod } from './force-delete-pod.ts';

/** Every fault there is. */
export const faults: readonly Fault[] = [deletePod, forceDeletePod];

/** What an experiment may name as `fault.kind`. */
export const faultKinds: string[] = faults.map(({ kind }) => kind);

/** The fault that an experiment names. Throws INPUT_INVALID with the nearest known one. */
export function faultOf({ fault }: { fault: { kind: string } }): Fault {
  const found = faults.find(({ kind }) => kind === fault.kind);
  if (found) return found;
  throw inputInvalid([
    `fault.kind: no fault "${fault.kind}"; there are ${faultKinds.join(', ')}${nearest(fault.kind, faultKinds)}`,
  ]);
}
