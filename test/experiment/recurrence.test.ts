import { expect, test } from 'vitest';
import { LeaderfallError } from '../../src/experiment/errors.ts';
import { parseRecurrence } from '../../src/experiment/recurrence.ts';

const valid = {
  name: 'nightly',
  when: { cron: ['0 3 * * MON-FRI'] },
  experiment: { cluster: { namespace: 'kafka' } },
};

function evidence(input: unknown): string[] {
  try {
    parseRecurrence(input);
  } catch (error) {
    if (error instanceof LeaderfallError) return error.problem.evidence ?? [];
  }
  return [];
}

test('what is not said has a default: no pause, starts missed for longer than 5 minutes are left out', () => {
  const { pauseOn, catchUp, paused, when } = parseRecurrence({ kind: 'Schedule', ...valid });
  expect({ pauseOn, catchUp, paused, timeZone: when.timeZone }).toEqual({
    pauseOn: [],
    catchUp: '5m',
    paused: false,
    timeZone: 'UTC',
  });
});

test.each([
  ['no time at all', { ...valid, when: {} }, 'when: names no time; give cron, every or calendar'],
  [
    'a time zone that is none',
    { ...valid, when: { ...valid.when, timeZone: 'Mars' } },
    'when.timeZone: Mars is no time zone',
  ],
  ['a verdict that cannot pause', { ...valid, pauseOn: ['pass'] }, 'pauseOn.0'],
  ['an unknown field', { ...valid, cathUp: '1m' }, 'cathUp: unknown field; nearest is "catchUp"'],
  ['too short a catch-up', { ...valid, catchUp: '5s' }, 'catchUp: Temporal takes no less than 10s'],
  ['a month by number', { ...valid, when: { calendar: [{ month: 3 }] } }, 'when.calendar.0.month'],
  ['another kind', { ...valid, kind: 'Cron' }, 'kind: must be Schedule'],
  ['a wrong field of its experiment', { ...valid, experiment: { clutser: {} } }, 'clutser: unknown field'],
])('%s is refused with the field', (_, input, expected) => {
  expect(evidence(input).join('\n')).toContain(expected);
});
