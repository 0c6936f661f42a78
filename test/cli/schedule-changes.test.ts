import { expect, test } from 'vitest';
import { changesOf } from '../../src/cli/schedule/apply.ts';
import { digestOf } from '../../src/cli/schedule/to-temporal.ts';
import { parseRecurrence } from '../../src/experiment/recurrence.ts';

function recurrence(name: string, cron = '0 3 * * *') {
  return parseRecurrence({ name, when: { cron: [cron] }, experiment: { cluster: { namespace: 'kafka' } } });
}

const [a, b] = [recurrence('a'), recurrence('b')];
const present = (one: typeof a) => ({ name: one.name, digest: digestOf(one), managed: true });

test('what is missing is created, what differs updated, what is the same left alone', () => {
  const others = [present(recurrence('a', '0 4 * * *')), present(b)];
  expect(changesOf([a, b, recurrence('c')], others, false)).toEqual([
    { name: 'a', change: 'update' },
    { name: 'b', change: 'none' },
    { name: 'c', change: 'create' },
  ]);
});

test('only what files made is pruned, and only when asked for', () => {
  const others = [present(a), present(b), { name: 'by-hand', managed: false }];
  expect(changesOf([a], others, true)).toEqual([
    { name: 'a', change: 'none' },
    { name: 'b', change: 'delete' },
  ]);
  expect(changesOf([a], others, false)).toEqual([{ name: 'a', change: 'none' }]);
});

test('the order of fields does not make a schedule another one', () => {
  const { name, ...rest } = a;
  expect(digestOf({ ...rest, name })).toBe(digestOf(a));
});
