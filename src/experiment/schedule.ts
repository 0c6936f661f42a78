/** What makes a schedule of kills. */
export interface KillSchedule {
  durationSeconds: number;
  intervalSeconds: number;
  /** What becomes of a kill whose deadline passed while nobody could act; see `latenessMs`. */
  late?: 'skip' | { runIfWithinSeconds: number } | undefined;
}

/** Most kills of one run, those by which a person extends it included: a day of one a minute. */
export const maxKills = 1_440;

/** Most kills that one history of a run holds, so that it stays far below Temporal's limits and the result below 64 KiB. */
export const maxKillsOfHistory = 50;

/** What a person may add to a run by pauses and extensions together; everything a run makes expires only after it. s */
export const reserveSeconds = 1_800;

/** The end of a run's bound that is kept for its clean-up. s */
export const cleanUpSeconds = 1_800;

/** Kills at i · interval while that is less than the duration: 60 s / 20 s gives 3, at 0, 20 and 40 s. */
export function plannedKills(schedule: KillSchedule): number {
  return Math.ceil(schedule.durationSeconds / schedule.intervalSeconds);
}

/** Deadline of kill `index`, epoch ms; absolute from the first, so that no delay adds up. */
export function killDeadline(schedule: KillSchedule, steadyAt: number, index: number): number {
  return steadyAt + index * schedule.intervalSeconds * 1_000;
}

/** Nothing acts on the very millisecond: this much is on time. ms */
const onTimeMs = 1_000;

/** Where the experiment does not say: so late may a kill be, ms, but for shorter intervals. */
const usualLatenessMs = 30_000;

/** The latest that a kill may be, so that two are never nearer to each other than that. s */
export function mostLateSeconds({ intervalSeconds }: KillSchedule): number {
  return intervalSeconds / 2;
}

/** How long after its deadline a kill is still begun: what `late` says, else half an interval and at most 30 s. ms */
export function latenessMs(schedule: KillSchedule): number {
  const { late } = schedule;
  if (typeof late === 'object') return late.runIfWithinSeconds * 1_000;
  return Math.min(mostLateSeconds(schedule) * 1_000, late === 'skip' ? onTimeMs : usualLatenessMs);
}

/** Epoch ms after which a kill of that deadline is not begun any more. */
export function lateAfter(schedule: KillSchedule, deadline: number): number {
  return deadline + latenessMs(schedule);
}
