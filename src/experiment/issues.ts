import { distance } from 'fastest-levenshtein';
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

/** Zod's issues with an input of that schema as `dotted.path: what`, with the nearest known field for each unknown one. */
export function issuesOf(error: z.ZodError, schema: z.ZodType): InputIssue[] {
  return error.issues.flatMap((issue) => {
    const path = issue.path;
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map(
        (key) =>
          `${dotted([...path, key])}: unknown field${nearest(key, knownFields(schema, path)) || elsewhere(key, schema)}`,
      );
    }
    const missing = /^Invalid input: expected (.+), received undefined$/.exec(issue.message);
    const what = missing ? `missing; it is of type ${missing[1]}` : issue.message;
    return [`${dotted(path) || 'input'}: ${what}`];
  });
}

/** `; nearest is "x"` where something similar is known. */
export function nearest(name: string, known: string[]): string {
  if (known.length === 0) return '';
  const longer = known.find((field) => field.toLowerCase().startsWith(name.toLowerCase()));
  if (longer) return `; nearest is "${longer}"`;
  const written = name.toLowerCase();
  const found = known.reduce((best, field) => (away(written, field) < away(written, best) ? field : best));
  // Further off than this, a suggestion is a guess.
  return away(written, found) <= Math.max(2, name.length * 0.4) ? `; nearest is "${found}"` : '';
}

/** `; nearest is "a.x"` where a field of that very name is known in another place. */
function elsewhere(name: string, schema: z.ZodType): string {
  const found = placesOf(name, unwrapped(schema as SchemaNode)).map((place) => `"${place}"`);
  return found.length > 0 ? `; nearest is ${found.join(' or ')}` : '';
}

function placesOf(name: string, node: SchemaNode | undefined, path: string[] = []): string[] {
  return Object.entries(node?.shape ?? {}).flatMap(([field, inner]) => {
    const place = [...path, field];
    return [...(field === name ? [dotted(place)] : []), ...placesOf(name, unwrapped(inner), place)];
  });
}

function away(written: string, field: string): number {
  return distance(written, field.toLowerCase());
}

/** What zod's schemas have in common, as far as a path is followed through them. */
interface SchemaNode {
  shape?: Record<string, SchemaNode>;
  element?: SchemaNode;
  def?: { innerType?: SchemaNode };
}

/** Names of the fields at a path of a schema, through its defaults and lists. */
function knownFields(schema: z.ZodType, path: PropertyKey[]): string[] {
  let node: SchemaNode | undefined = unwrapped(schema as SchemaNode);
  for (const part of path) {
    node = unwrapped(typeof part === 'number' ? node?.element : node?.shape?.[String(part)]);
  }
  return Object.keys(node?.shape ?? {});
}

function unwrapped(schema: SchemaNode | undefined): SchemaNode | undefined {
  let node = schema;
  while (node && !node.shape && !node.element && node.def?.innerType) node = node.def.innerType;
  return node;
}

function dotted(path: PropertyKey[]): string {
  return path.map(String).join('.');
}
