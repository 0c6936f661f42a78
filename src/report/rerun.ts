import { stringify } from 'yaml';
import type { ChaosResult } from '../experiment/result.ts';

/** The experiment of a run as the file that runs it again; undefined where the run never had one. Ends with a line feed. */
export function experimentFile({ experiment }: Pick<ChaosResult, 'experiment'>): string | undefined {
  return experiment && stringify(experiment, { lineWidth: 0 });
}
