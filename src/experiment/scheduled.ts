import type { Verdict } from './result.ts';

/** Memo of a scheduled run: on which verdicts it pauses its schedule. Not part of its input, which is what a person would give. */
export const pauseOnMemo = 'LeaderfallPauseOn';

/** Memo of a scheduled run: what its schedule was made from, by which a change in the file and one in Temporal are told. */
export const appliedMemo = 'LeaderfallApplied';

/** Verdicts by the names that a schedule is written with. */
const pausing: Record<string, Verdict> = { fail: 'Fail', error: 'Error', inconclusive: 'Inconclusive' };

/** Verdicts on which a run pauses its schedule, out of its memo; none where there is no such memo. */
export function pauseOnOf(memo: unknown): Verdict[] {
  const names = Array.isArray(memo) ? memo : [];
  return names.flatMap((name) => pausing[String(name)] ?? []);
}
