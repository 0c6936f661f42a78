import { z } from 'zod';

/** A duration as a person writes it: `90s`, `15m`, `6h`, `2d`. */
export const durationSchema = z
  .string()
  .regex(/^\d+(s|m|h|d)$/, 'must be a number with s, m, h or d, such as 90s or 6h');
