import { closest, distance } from 'fastest-levenshtein';
import type { z } from 'zod';
import { type LeaderfallError, problem } from './errors.ts';

/** One thing wrong with an input: `field: what`. */
export type InputIssue = string;

/** All issues at once as one error. */
export function inputInvalid(issues: InputIssue[], next?: string): LeaderfallError {
  const [first = ''] = issues;
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : '';
  return problem('INPUT_INVALID', `${first}${more}`, {
    step: 'resolve',
    evidence: issues,
    next: next ?? '`leaderfall schema` prints every field with its default.',
  });
}

/** Zod's issues as `dotted.path: what`, with the nearest known field for each unknown one. */
export function issuesOf(error: z.ZodError, knownAt: (path: PropertyKey[]) => string[]): InputIssue[] {
  return error.issues.flatMap((issue) => {
    const path = issue.path;
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map(
        (key) => `${dotted([...path, key])}: unknown field${nearest(key, knownAt(path))}`,
      );
    }
    return [`${dotted(path) || 'input'}: ${issue.message}`];
  });
}

/** `; nearest is "x"` where something similar is known. */
export function nearest(name: string, known: string[]): string {
  if (known.length === 0) return '';
  const longer = known.find((field) => field.toLowerCase().startsWith(name.toLowerCase()));
  if (longer) return `; nearest is "${longer}"`;
  const found = closest(name, known);
  return distance(name, found) <= Math.max(3, name.length / 2) ? `; nearest is "${found}"` : '';
}

function dotted(path: PropertyKey[]): string {
  return path.map(String).join('.');
}
