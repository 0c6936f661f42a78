import { z } from 'zod';

/** Days of the week, Sunday first as in JavaScript's dates. */
const days = ['SUNDAY', 'MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY'] as const;

const dayMs = 86_400_000;

/** How far ahead an opening is looked for. days */
const horizonDays = 366;

const clock = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$|^24:00$/, 'must be a time of day, such as 09:30');

/** When something may go on: spans of the week in a time zone, less the times of a freeze. */
export const openTimesSchema = z.strictObject({
  timeZone: z.string().default('UTC').describe('Name of a time zone, such as Europe/Berlin.'),
  open: z
    .array(
      z.strictObject({
        days: z
          .array(z.enum(days))
          .min(1)
          .default([...days]),
        from: clock.default('00:00'),
        to: clock.default('24:00').describe('Later than from; a night is two spans.'),
      }),
    )
    .default([])
    .describe('Spans of the week in which the gate opens; none given: always, but for freezes.'),
  freeze: z
    .array(
      z.strictObject({
        from: z.iso.datetime({ offset: true }),
        to: z.iso.datetime({ offset: true }),
        reason: z.string().optional(),
      }),
    )
    .default([])
    .describe('Times in which it stays shut whatever the week says; RFC 3339 with an offset.'),
});

/** Open times with their defaults filled. */
export type OpenTimes = z.output<typeof openTimesSchema>;

/** What is wrong with open times that the schema has taken, as `field: what`. */
export function openTimesIssues({ timeZone, open, freeze }: OpenTimes): string[] {
  return [
    ...(isTimeZone(timeZone) ? [] : [`timeZone: ${timeZone} is no time zone`]),
    ...open.flatMap(({ from, to }, index) =>
      minutesOf(from) < minutesOf(to) ? [] : [`open.${index}.to: ${to} is not after ${from}`],
    ),
    ...freeze.flatMap(({ from, to }, index) =>
      Date.parse(from) < Date.parse(to) ? [] : [`freeze.${index}.to: ${to} is not after ${from}`],
    ),
  ];
}

/** Whether a name is known as that of a time zone. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** The first moment (epoch ms) from `now` on that is open; undefined where there is none within a year. */
export function nextOpening(times: OpenTimes, now: number): number | undefined {
  const wall = wallClock(times.timeZone);
  // Nothing opens but now, as a freeze ends, or as a span begins.
  const first = (candidates: number[]) =>
    candidates
      .filter((at) => at >= now)
      .sort((a, b) => a - b)
      .find((at) => isOpen(times, wall, at));
  const thawed = first([now, ...times.freeze.map(({ to }) => Date.parse(to))]);
  if (thawed === now) return now;
  // From noon to noon no day of the wall is left out, however long those are on which the clock changes.
  const noon = wall.instantOf(now, 12 * 60);
  for (let day = 0; day < horizonDays; day++) {
    const at = noon + day * dayMs;
    const begun = first(times.open.map(({ from }) => wall.instantOf(at, minutesOf(from))));
    if (begun !== undefined) return Math.min(begun, thawed ?? begun);
    if (thawed !== undefined && thawed < at - dayMs) break;
  }
  return thawed;
}

/** Whether that moment (epoch ms) is open. */
export function isOpenAt(times: OpenTimes, at: number): boolean {
  return isOpen(times, wallClock(times.timeZone), at);
}

function isOpen({ open, freeze }: OpenTimes, wall: WallClock, at: number): boolean {
  if (freeze.some(({ from, to }) => Date.parse(from) <= at && at < Date.parse(to))) return false;
  const { day, minutes } = wall.read(at);
  return (
    open.length === 0 ||
    open.some((span) => {
      const within = minutesOf(span.from) <= minutes && minutes < minutesOf(span.to);
      return within && span.days.some((name) => days[day] === name);
    })
  );
}

function minutesOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return hours * 60 + minutes;
}

interface WallClock {
  /** What the clock on the wall says: day of the week (Sunday 0) and minutes since midnight. */
  read(at: number): { day: number; minutes: number };
  /** When the wall shows these minutes on the day that it shows at `at`; a time that the day has not is as late as it is missing. */
  instantOf(at: number, minutes: number): number;
}

function wallClock(timeZone: string): WallClock {
  const format = new Intl.DateTimeFormat('en', {
    timeZone,
    hourCycle: 'h23',
    ...{ year: 'numeric', month: 'numeric', day: 'numeric' },
    ...{ hour: 'numeric', minute: 'numeric', second: 'numeric' },
  });
  /** The wall's time as if it were UTC, epoch ms. */
  const shown = (at: number) => {
    const parts = Object.fromEntries(
      format.formatToParts(at).map(({ type, value }) => [type, Number(value)]),
    ) as Record<'year' | 'month' | 'day' | 'hour' | 'minute' | 'second', number>;
    return Date.UTC(parts.year, parts.month - 1, parts.day, parts.hour, parts.minute, parts.second);
  };
  return {
    read: (at) => {
      const time = shown(at);
      return { day: new Date(time).getUTCDay(), minutes: (time % dayMs) / 60_000 };
    },
    instantOf: (at, minutes) => {
      const wanted = Math.floor(shown(at) / dayMs) * dayMs + minutes * 60_000;
      // The offset at the guess may be that of the other side of a change of the clock.
      const guess = wanted - (shown(wanted) - wanted);
      return wanted - (shown(guess) - guess);
    },
  };
}
