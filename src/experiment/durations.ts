import { z } from 'zod';

const units = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A duration as a person writes it: `90s`, `15m`, `6h`, `2d`. */
export const durationSchema = z
  .string()
  .regex(/^\d+(s|m|h|d)$/, 'must be a number with s, m, h or d, such as 90s or 6h');

/** Milliseconds of a duration that {@link durationSchema} has taken. */
export function millisecondsOf(duration: string): number {
  return Number(duration.slice(0, -1)) * units[duration.at(-1) as keyof typeof units];
}
