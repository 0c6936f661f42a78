import { deletePod } from './delete-pod.ts';
import type { Fault } from './fault.ts';

/** Every fault by its kind in the experiment. */
export const faults: Record<'delete', Fault> = { delete: deletePod };
