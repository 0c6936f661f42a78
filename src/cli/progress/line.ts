import type { Step } from '../../experiment/result.ts';
import type { Tone } from '../../report/format.ts';
import type { ActivityName } from '../history/run-event.ts';

/** One line for the person watching. `at`: epoch ms. */
export interface Line {
  at: number;
  step: Step | 'temporal';
  text: string;
  tone?: Tone;
}

/** The step that an activity belongs to. */
export const stepOfActivity: Record<ActivityName, Step> = {
  resolve: 'resolve',
  provision: 'provision',
  annotate: 'annotate',
  startLiveness: 'liveness',
  aim: 'kill',
  kill: 'kill',
  prove: 'kill',
  watchSlo: 'kill',
  takePart: 'kill',
  closeStream: 'evaluate',
  cleanUp: 'clean-up',
  releaseClaim: 'clean-up',
  record: 'record',
};

/** Step of an activity by its name in history; those of later versions keep their own name out of the way. */
export function stepOf(activity: string): Line['step'] {
  return stepOfActivity[activity as ActivityName] ?? 'temporal';
}
