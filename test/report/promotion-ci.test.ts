import { expect, test } from 'vitest';
import type { PromotionRecord, StageRecord } from '../../src/experiment/promotion/record.ts';
import { promotionMarkdown } from '../../src/report/promotion-ci.ts';

const at = '2026-01-05T10:00:00.000Z';

function stage(more: Partial<StageRecord> = {}): StageRecord {
  return {
    ...{ name: 'staging', taskQueue: 'staging', state: 'passed', attempt: 1, runs: [] },
    gates: [{ kind: 'auto', attempt: 1, since: at, approvals: [] }],
    ...more,
  };
}

function record(more: Partial<PromotionRecord> = {}): PromotionRecord {
  return {
    schema: 'leaderfall.io/promotion/v1',
    promotion: { temporalNamespace: 'default', workflowId: 'p-1', runId: 'run-1' },
    ...{ name: 'orders', subject: 'orders 1.2', outcome: 'Promoted', reason: 'all passed', startedAt: at },
    ...{ stages: [stage()], decisions: [], hooks: [], timeline: [] },
    ...more,
  };
}

test('the summary of a promotion has a row for each stage, and a link', () => {
  const link = 'http://127.0.0.1:8233/p-1';
  expect(promotionMarkdown(record({ link }))).toBe(
    [
      ...['## orders: Promoted', '', `orders 1.2: all passed ([p-1](<${link}>))`, ''],
      ...[
        '| stage | state | runs | gates |',
        '| --- | --- | --- | --- |',
        '| staging | passed |  | auto |',
        '',
      ],
    ].join('\n'),
  );
});

test('the summary is not led astray by what people say', () => {
  const hostile = 'a | b\n\n## <img src=x> `c` [d](e) @everyone';
  const told = promotionMarkdown(
    record({
      ...{ name: hostile, subject: hostile, reason: hostile },
      promotion: { temporalNamespace: 'default', workflowId: hostile, runId: 'run-1' },
      stages: [stage({ name: hostile, state: 'held', lack: hostile })],
    }),
  );
  expect(told).not.toMatch(/<img|@everyone|(?<!\\)`c|(?<!\\)\[d/);
  expect(told.match(/^## /gm)).toHaveLength(1);
  const rows = told.split('\n').filter((line) => line.startsWith('|'));
  expect(rows.map((line) => line.split(/(?<!\\)\|/).length)).toEqual([6, 6, 6]);
});
