import { type Client, ScheduleAlreadyRunning, ScheduleNotFoundError } from '@temporalio/client';
import { expect, test } from 'vitest';
import type { TemporalAccess } from '../../src/cli/connect-temporal.ts';
import { janitorFindings } from '../../src/cli/doctor/temporal-findings.ts';
import { scheduleJanitor } from '../../src/cli/schedule/janitor.ts';

interface Kept {
  scheduleId: string;
  action: { workflowId: string; taskQueue: string; args: unknown[] };
}

/** The schedules of a Temporal namespace, as far as the janitor needs them. */
function schedules() {
  const kept = new Map<string, Kept>();
  const schedule = {
    create: async (wanted: Kept) => {
      const { scheduleId } = wanted;
      if (kept.has(scheduleId)) throw new ScheduleAlreadyRunning('it is there', scheduleId);
      kept.set(scheduleId, wanted);
    },
    getHandle: (scheduleId: string) => ({
      update: async (change: (found: object) => Omit<Kept, 'scheduleId'>) => {
        kept.set(scheduleId, { scheduleId, ...change({}) });
      },
      describe: async () => {
        if (!kept.has(scheduleId)) throw new ScheduleNotFoundError('there is none', scheduleId);
        return { state: { paused: false }, info: { recentActions: [] } };
      },
    }),
  };
  return { kept, client: { schedule } as unknown as Client };
}

const every = (client: Client, taskQueue: string, namespace: string) =>
  scheduleJanitor(client, { interval: '1h', taskQueue, request: { namespaces: [namespace] } });

test('environments that share a Temporal namespace have a janitor each', async () => {
  const { kept, client } = schedules();
  expect(await every(client, 'leaderfall', 'kafka')).toEqual({
    scheduleId: 'leaderfall-janitor',
    change: 'created',
  });
  const staging = { scheduleId: 'leaderfall-janitor-staging' };
  expect(await every(client, 'staging', 'kafka-staging')).toEqual({ ...staging, change: 'created' });
  expect(await every(client, 'staging', 'kafka-other')).toEqual({ ...staging, change: 'updated' });
  expect([...kept.values()].map(({ action }) => [action.workflowId, action.taskQueue, action.args])).toEqual([
    ['leaderfall-janitor', 'leaderfall', [{ namespaces: ['kafka'] }]],
    ['leaderfall-janitor-staging', 'staging', [{ namespaces: ['kafka-other'] }]],
  ]);
});

test('the doctor looks for the janitor of the task queue that it is asked about', async () => {
  const { client } = schedules();
  await every(client, 'leaderfall', 'kafka');
  const access = { client } as TemporalAccess;
  expect(await janitorFindings(access, 'leaderfall')).toMatchObject([
    { state: 'ok', text: 'schedule leaderfall-janitor runs' },
  ]);
  expect(await janitorFindings(access, 'staging')).toMatchObject([
    {
      state: 'warning',
      text: expect.stringContaining('schedule leaderfall-janitor-staging is missing'),
      next: 'leaderfall janitor --every 1h -n NAMESPACE --task-queue staging',
    },
  ]);
});
