import type { Figure } from '../figure.ts';

/** VmHWM of the worker as it is deployed: built, with its workflow bundle. It only grows over the runs of one worker. */
export const workerMemory: Figure = {
  id: 'worker-peak-memory',
  title: 'peak resident memory of the worker',
  unit: 'MiB',
  aim: 200,
  measure: ({ workerPeakMiB }) => [Math.round(workerPeakMiB)],
};
