import type { ChaosResult } from '../experiment/result.ts';

/** A result for programs, shaped as schema/result.schema.json says. Ends with a line feed. */
export function jsonReport(result: ChaosResult): string {
  return `${JSON.stringify(result, null, 2)}\n`;
}
