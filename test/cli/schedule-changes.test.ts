import type { Client } from '@temporalio/client';
import { expect, test, vi } from 'vitest';
import { changesOf, type Present } from '../../src/cli/schedule/apply.ts';
import { differenceText } from '../../src/cli/schedule/differences.ts';
import { updateSchedule } from '../../src/cli/schedule/schedules.ts';
import { digestOf, toTemporal } from '../../src/cli/schedule/to-temporal.ts';
import type { LeaderfallError } from '../../src/experiment/errors.ts';
import { parseRecurrence } from '../../src/experiment/recurrence.ts';

function recurrence(name: string, more: object = {}) {
  return parseRecurrence({
    name,
    when: { cron: ['0 3 * * *'] },
    experiment: { cluster: { namespace: 'kafka' } },
    ...more,
  });
}

/** As Temporal has it once it was applied. */
function present(one: ReturnType<typeof recurrence>, owner?: string, more: object = {}): Present {
  const spec = { calendars: [{ comment: one.when.cron[0] }] } as unknown as Present['as']['spec'];
  const { action } = toTemporal(one, { spec: digestOf({ spec }), ...(owner ? { owner } : {}) });
  const policies = { overlap: 'SKIP', catchupWindow: 300_000, pauseOnFailure: false };
  return {
    name: one.name,
    as: { spec, policies, action: { ...action, args: [one.experiment] }, ...more } as Present['as'],
  };
}

const [a, b] = [recurrence('a'), recurrence('b')];
const keep = { prune: false };
const issues = (act: () => unknown) => {
  try {
    act();
    return [];
  } catch (error) {
    return (error as LeaderfallError).problem.evidence;
  }
};

test('what is missing is created, what is the same left alone, and of what differs is said how', () => {
  const others = [present(a), present(b)];
  const now = [recurrence('a', { when: { cron: ['0 4 * * *'] }, catchUp: '10m' }), b, recurrence('c')];
  const changes = changesOf(now, others, keep);
  expect(changes.map(({ name, change }) => `${change} ${name}`)).toEqual(['update a', 'none b', 'create c']);
  expect(changes[0]?.differences?.map(differenceText)).toEqual([
    'when.cron: ["0 3 * * *"] → ["0 4 * * *"]',
    'catchUp (ms): 300000 → 600000',
  ]);
});

test('what somebody changed in Temporal is seen, field by field', () => {
  const { as } = present(a);
  const other = { cluster: { namespace: 'other' } };
  for (const [more, field] of [
    [{ spec: { calendars: [] } }, 'when'],
    [{ action: { ...as.action, args: [other] } }, 'experiment.cluster.namespace'],
    [{ action: { ...as.action, taskQueue: 'elsewhere' } }, 'taskQueue'],
    [{ action: { ...as.action, workflowId: 'another' } }, 'workflowId'],
    [{ policies: { ...as.policies, overlap: 'ALLOW_ALL' } }, 'overlap'],
    [{ policies: { ...as.policies, pauseOnFailure: true } }, 'pauseOnFailure'],
  ] as const) {
    const [change] = changesOf([a], [present(a, undefined, more)], keep);
    expect([change?.change, change?.differences?.map((one) => one.field)]).toEqual(['update', [field]]);
  }
});

test('only what this owner applied is pruned, and only when asked for', () => {
  const others = [
    present(a, 'us'),
    present(b, 'us'),
    present(recurrence('c'), 'them'),
    present(recurrence('d')),
  ];
  expect(changesOf([a], others, { owner: 'us', prune: true })).toEqual([
    { name: 'a', change: 'none' },
    { name: 'b', change: 'delete' },
  ]);
  expect(changesOf([a], others, { owner: 'us', prune: false })).toEqual([{ name: 'a', change: 'none' }]);
});

test('nothing is pruned without an owner or a file, and nobody else’s schedule is touched', () => {
  const others = [present(a, 'us')];
  expect(issues(() => changesOf([a], others, { prune: true }))).toEqual([
    expect.stringContaining('--prune: needs --owner'),
  ]);
  expect(issues(() => changesOf([], others, { owner: 'us', prune: true }))).toEqual([
    '--prune: the folder holds no schedule at all',
  ]);
  expect(issues(() => changesOf([a], others, { owner: 'them', prune: false }))).toEqual([
    'name: schedule a is of owner us, not of them',
  ]);
  const foreign = present(a, undefined, { action: { ...present(a).as.action, workflowType: 'backup' } });
  expect(issues(() => changesOf([a], [foreign], keep))).toEqual([
    'name: schedule a is not of Leaderfall: it starts backup',
  ]);
});

test('the janitor’s schedule is no experiment’s, whoever updates it', async () => {
  const janitors = { ...present(a).as.action, workflowType: 'janitor' };
  const update = vi.fn();
  const handle = { describe: async () => ({ action: janitors }), update };
  const client = { schedule: { getHandle: () => handle } } as unknown as Client;
  for (const owner of [undefined, 'us']) {
    await expect(updateSchedule(client, a, owner)).rejects.toMatchObject({
      problem: { code: 'INPUT_INVALID', message: "schedule a is the janitor's" },
    });
  }
  expect(update).not.toHaveBeenCalled();
  expect(issues(() => changesOf([a], [present(a, undefined, { action: janitors })], keep))).toEqual([
    "name: schedule a is the janitor's",
  ]);
});
