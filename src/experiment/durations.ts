const units = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Milliseconds of a duration that `durationSchema` has taken. */
export function millisecondsOf(duration: string): number {
  return Number(duration.slice(0, -1)) * units[duration.at(-1) as keyof typeof units];
}
