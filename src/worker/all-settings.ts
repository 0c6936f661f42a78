import { LeaderfallError, problem } from '../experiment/errors.ts';

/** Reads all kinds of settings. Throws CONFIGURATION_INVALID that lists what is wrong in any of them, so that one start shows all. */
export async function allSettings<T extends Record<string, () => unknown>>(
  readers: T,
): Promise<{ [K in keyof T]: Awaited<ReturnType<T[K]>> }> {
  const wrong: LeaderfallError[] = [];
  const read: [string, unknown][] = [];
  for (const [name, reader] of Object.entries(readers)) {
    try {
      read.push([name, await reader()]);
    } catch (error) {
      if (!(error instanceof LeaderfallError) || error.problem.code !== 'CONFIGURATION_INVALID') throw error;
      wrong.push(error);
    }
  }
  const [first] = wrong;
  if (!first) return Object.fromEntries(read) as { [K in keyof T]: Awaited<ReturnType<T[K]>> };
  if (wrong.length === 1) throw first;
  throw problem('CONFIGURATION_INVALID', wrong.map(({ message }) => message).join('; '), {
    evidence: wrong.flatMap(({ problem: { message, evidence = [] } }) =>
      evidence.length > 0 ? evidence : [message],
    ),
    next: [...new Set(wrong.flatMap(({ problem: { next } }) => next ?? []))].join(' '),
  });
}
