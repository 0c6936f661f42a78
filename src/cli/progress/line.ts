import type { Step } from '../../experiment/result.ts';
import type { ActivityName } from '../history/run-event.ts';

/** One line for the person watching. `at`: epoch ms. */
export interface Line {
  at: number;
  step: Step | 'temporal';
  text: string;
  tone?: 'good' | 'bad' | 'warn' | 'dim' | 'strong';
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
  closeStream: 'evaluate',
  cleanUp: 'clean-up',
  record: 'record',
};

/** Step of an activity by its name in history; those of later versions keep their own name out of the way. */
export function stepOf(activity: string): Line['step'] {
  return stepOfActivity[activity as ActivityName] ?? 'temporal';
}

/** `412 ms`, `3.5 s`, `2 min 05 s` */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`;
}

/** Time of day with milliseconds, UTC. */
export function clock(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(11, 23);
}
