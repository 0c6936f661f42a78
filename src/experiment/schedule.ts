/** The two numbers that make a schedule of kills. */
export interface KillSchedule {
  durationSeconds: number;
  intervalSeconds: number;
}

/** Most kills of one run, those by which a person extends it included: a day of one a minute. */
export const maxKills = 1_440;

/** Most kills that one history of a run holds, so that it stays far below Temporal's limits and the result below 64 KiB. */
export const maxKillsOfHistory = 50;

/** What a person may add to a run by pauses and extensions together; everything a run makes expires only after it. s */
export const reserveSeconds = 1_800;

/** Kills at i · interval while that is less than the duration: 60 s / 20 s gives 3, at 0, 20 and 40 s. */
export function plannedKills(schedule: KillSchedule): number {
  return Math.ceil(schedule.durationSeconds / schedule.intervalSeconds);
}

/** Deadline of kill `index`, epoch ms; absolute from the first, so that no delay adds up. */
export function killDeadline(schedule: KillSchedule, steadyAt: number, index: number): number {
  return steadyAt + index * schedule.intervalSeconds * 1_000;
}

/** Epoch ms after which a kill of that deadline is not begun any more: half an interval, at most 30 s. */
export function lateAfter(schedule: KillSchedule, deadline: number): number {
  return deadline + Math.min(schedule.intervalSeconds * 500, 30_000);
}
