import { z } from 'zod';
import { durationSchema as duration } from './duration-schema.ts';
import { inputInvalid, issuesOf } from './issues.ts';
import { parseExperiment } from './parse.ts';
import { isTimeZone } from './window.ts';

/** One value, a range, or a list of both, as Temporal's calendars have them. */
function field<T extends z.ZodType>(value: T) {
  const range = z.strictObject({ start: value, end: value.optional(), step: z.int().min(1).optional() });
  const one = z.union([value, range]);
  return z.union([z.literal('*'), one, z.array(one)]).optional();
}

const months = z.enum([
  ...(['JANUARY', 'FEBRUARY', 'MARCH', 'APRIL', 'MAY', 'JUNE'] as const),
  ...(['JULY', 'AUGUST', 'SEPTEMBER', 'OCTOBER', 'NOVEMBER', 'DECEMBER'] as const),
]);

const weekdays = z.enum(['SUNDAY', 'MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY']);

const calendar = z.strictObject({
  second: field(z.int().min(0).max(59)),
  minute: field(z.int().min(0).max(59)),
  hour: field(z.int().min(0).max(23)),
  dayOfMonth: field(z.int().min(1).max(31)),
  month: field(months),
  year: field(z.int().min(2000).max(2100)),
  dayOfWeek: field(weekdays),
  comment: z.string().optional(),
});

const whenSchema = z
  .strictObject({
    cron: z
      .array(z.string())
      .default([])
      .describe('Cron expressions of five fields, such as "0 3 * * MON-FRI".'),
    every: z
      .array(z.strictObject({ interval: duration, offset: duration.optional() }))
      .default([])
      .describe('Intervals, counted from the epoch.'),
    calendar: z
      .array(calendar)
      .default([])
      .describe('Calendar entries as Temporal has them: hour, minute, dayOfWeek …'),
    except: z.array(calendar).default([]).describe('Calendar entries at which no run is started.'),
    timeZone: z.string().default('UTC').describe('Name of a time zone, such as Europe/Berlin.'),
    jitter: duration.optional().describe('A run is started up to so much later, at random.'),
  })
  .describe('When runs are started; entries of cron, every and calendar add up.');

/** A schedule of runs as a person writes it: a plain Temporal Schedule, and what its runs are given. */
export const recurrenceSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, 'must be lower case letters, digits and dashes')
      .describe('The id of the schedule in Temporal.'),
    when: whenSchema,
    catchUp: duration
      .default('5m')
      .describe('A start that was missed for longer than this is left out; at least 10s.'),
    pauseOn: z
      .array(z.enum(['fail', 'error', 'inconclusive']))
      .default([])
      .describe('Verdicts after which the run pauses its schedule, with a note.'),
    paused: z.boolean().default(false),
    note: z.string().optional(),
    taskQueue: z.string().min(1).default('leaderfall'),
    experiment: z.unknown().describe('The experiment as a file of `leaderfall run` would hold it.'),
  })
  .describe('Leaderfall schedule');

/** A schedule of runs with its defaults filled. */
export type Recurrence = z.output<typeof recurrenceSchema>;

/** Reads a schedule of runs. Throws INPUT_INVALID with every issue, those of its experiment included. */
export function parseRecurrence(input: unknown): Recurrence {
  const { apiVersion, kind, ...rest } = (typeof input === 'object' && input !== null ? input : {}) as Record<
    string,
    unknown
  >;
  const issues: string[] = [];
  if (apiVersion !== undefined && apiVersion !== 'leaderfall.io/v1')
    issues.push('apiVersion: must be leaderfall.io/v1');
  if (kind !== undefined && kind !== 'Schedule') issues.push('kind: must be Schedule');
  const parsed = recurrenceSchema.safeParse(rest);
  if (!parsed.success) issues.push(...issuesOf(parsed.error, recurrenceSchema));
  else issues.push(...ownIssues(parsed.data));
  if (issues.length > 0 || !parsed.success) throw inputInvalid(issues);
  parseExperiment(parsed.data.experiment);
  return parsed.data;
}

function ownIssues({ when, catchUp }: Recurrence): string[] {
  const issues: string[] = [];
  if (when.cron.length + when.every.length + when.calendar.length === 0)
    issues.push('when: names no time; give cron, every or calendar');
  if (!isTimeZone(when.timeZone)) issues.push(`when.timeZone: ${when.timeZone} is no time zone`);
  if (/^[0-9]s$/.test(catchUp)) issues.push('catchUp: Temporal takes no less than 10s');
  return issues;
}
