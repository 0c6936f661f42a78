import Table from 'cli-table3';
import { duration } from '../../report/format.ts';
import type { TemporalAccess } from '../connect-temporal.ts';

/** One promotion as Temporal lists it. */
export interface PromotionRow {
  workflowId: string;
  runId: string;
  /** RUNNING, COMPLETED (Promoted, Rejected or Expired), FAILED, CANCELLED … */
  status: string;
  /** RFC 3339 */
  startedAt: string;
  durationMs?: number;
}

/** Promotions, newest first. Visibility is a second or two behind. */
export async function listPromotions({ client }: TemporalAccess, limit: number): Promise<PromotionRow[]> {
  const rows: PromotionRow[] = [];
  for await (const info of client.workflow.list({ query: 'WorkflowType = "promotion"' })) {
    const { workflowId, runId, status, startTime, closeTime } = info;
    rows.push({
      workflowId,
      runId,
      status: status.name,
      startedAt: startTime.toISOString(),
      ...(closeTime ? { durationMs: closeTime.getTime() - startTime.getTime() } : {}),
    });
    if (rows.length === limit) break;
  }
  return rows;
}

/** The same as a table. */
export function promotionTable(rows: PromotionRow[]): string {
  if (rows.length === 0) return 'no promotions\n';
  const table = new Table({
    head: ['promotion', 'status', 'started', 'took'],
    style: { head: [], border: [], compact: true },
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
  });
  for (const { workflowId, status, startedAt, durationMs } of rows) {
    const name = status.charAt(0) + status.slice(1).toLowerCase().replaceAll('_', ' ');
    const took = durationMs === undefined ? '' : duration(durationMs);
    table.push([workflowId, name, startedAt.slice(0, 19).replace('T', ' '), took]);
  }
  return `${table.toString()}\n`;
}
