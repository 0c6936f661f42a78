import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isOpenAt, nextOpening, openTimesIssues, openTimesSchema } from '../../src/experiment/window.ts';

const berlin = openTimesSchema.parse({
  timeZone: 'Europe/Berlin',
  open: [{ days: ['MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY'], from: '09:00', to: '16:00' }],
});
const opening = (times: object, now: string) => {
  const at = nextOpening({ ...berlin, ...times }, Date.parse(now));
  return at === undefined ? undefined : new Date(at).toISOString();
};

it.each([
  ['within a span: now', '2026-11-23T10:00:00.000Z', '2026-11-23T10:00:00.000Z'],
  ['before it: as it begins', '2026-11-23T07:59:59.000Z', '2026-11-23T08:00:00.000Z'],
  ['at its end: the next one', '2026-11-23T15:00:00.000Z', '2026-11-24T08:00:00.000Z'],
  ['after the last of the week: Monday', '2026-11-26T15:00:00.000Z', '2026-11-30T08:00:00.000Z'],
  ['over the change to summer time', '2027-03-26T12:00:00.000Z', '2027-03-29T07:00:00.000Z'],
  ['over the change to winter time', '2027-10-29T12:00:00.000Z', '2027-11-01T08:00:00.000Z'],
])('opens by the clock on the wall, %s', (_name, now, expected) => {
  expect(opening({}, now)).toBe(expected);
});

it('leaves out no day, also where the one before it has 23 hours', () => {
  const open = [{ days: ['SUNDAY' as const], from: '09:00', to: '16:00' }];
  expect(opening({ open }, '2027-03-27T22:30:00Z')).toBe('2027-03-28T07:00:00.000Z');
});

it('stays shut in a freeze, whatever the week says, and opens as it ends', () => {
  const freeze = [{ from: '2026-11-23T00:00:00+01:00', to: '2026-11-24T12:00:00+01:00' }];
  expect(opening({ freeze }, '2026-11-23T10:00:00Z')).toBe('2026-11-24T11:00:00.000Z');
  expect(opening({ freeze, open: [] }, '2026-11-23T10:00:00Z')).toBe('2026-11-24T11:00:00.000Z');
  const ages = [{ from: '2026-01-01T00:00:00Z', to: '2030-01-01T00:00:00Z' }];
  expect(opening({ freeze: ages, open: berlin.open }, '2026-11-23T10:00:00Z')).toBeUndefined();
});

it('gives the first open moment there is: none of a minute before it is open', () => {
  const moment = fc.integer({ min: Date.UTC(2026, 0, 1) / 60_000, max: Date.UTC(2028, 0, 1) / 60_000 });
  fc.assert(
    fc.property(moment, fc.nat({ max: 5_000 }), (minute, back) => {
      const now = minute * 60_000;
      const at = nextOpening(berlin, now) ?? Number.NaN;
      expect(at).toBeGreaterThanOrEqual(now);
      expect(nextOpening(berlin, at)).toBe(at);
      expect(isOpenAt(berlin, at)).toBe(true);
      const before = at - 1 - back * 60_000;
      if (before >= now) expect(isOpenAt(berlin, before)).toBe(false);
    }),
    { numRuns: 50 },
  );
});

it('names what is wrong with its fields', () => {
  const wrong = openTimesSchema.parse({
    timeZone: 'Berlin',
    open: [{ from: '22:00', to: '06:00' }],
    freeze: [{ from: '2026-11-24T00:00:00Z', to: '2026-11-23T00:00:00Z' }],
  });
  expect(openTimesIssues(wrong).map((issue) => issue.split(':')[0])).toEqual([
    'timeZone',
    'open.0.to',
    'freeze.0.to',
  ]);
});
