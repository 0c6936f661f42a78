import { problemOf } from '../../experiment/errors.ts';

/** One thing that was looked at, and what to do about it. */
export interface Finding {
  /** Temporal, worker, rights, Kafka … */
  about: string;
  /** `skipped`: could not be looked at, and why. */
  state: 'ok' | 'warning' | 'bad' | 'skipped';
  text: string;
  evidence?: string[];
  next?: string;
}

/** Runs one look; an error becomes the finding that it is. */
export async function look(about: string, find: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await find();
  } catch (error) {
    const { code, message, evidence, next } = problemOf(error);
    const text = `${code}: ${message}`;
    return [{ about, state: 'bad', text, ...(evidence ? { evidence } : {}), ...(next ? { next } : {}) }];
  }
}
