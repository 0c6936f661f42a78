import { expect, test } from 'vitest';
import type { TemporalAccess } from '../../src/cli/connect-temporal.ts';
import { listPromotions, promotionTable } from '../../src/cli/promote/list.ts';

test('promotions are told with the status that people read, in JSON too', async () => {
  const startTime = new Date('2026-01-05T10:00:00Z');
  const info = (workflowId: string, status: string, closeTime?: Date) => ({
    ...{ workflowId, runId: `run-${workflowId}`, status: { name: status }, startTime, closeTime },
  });
  const list = async function* () {
    yield info('b', 'RUNNING');
    yield info('a', 'TIMED_OUT', new Date('2026-01-05T10:01:02Z'));
    yield info('earlier', 'COMPLETED');
  };
  const rows = await listPromotions({ client: { workflow: { list } } } as unknown as TemporalAccess, 2);
  expect(rows).toEqual([
    { workflowId: 'b', runId: 'run-b', status: 'Running', startedAt: '2026-01-05T10:00:00.000Z' },
    {
      ...{ workflowId: 'a', runId: 'run-a', status: 'Timed out', startedAt: '2026-01-05T10:00:00.000Z' },
      durationMs: 62_000,
    },
  ]);
  expect(promotionTable(rows)).toMatch(/│ a +│ Timed out │ 2026-01-05 10:00:00 │ 1 min 02 s │/);
  expect(promotionTable([])).toBe('no promotions\n');
});
