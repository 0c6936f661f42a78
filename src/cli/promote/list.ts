import type { TemporalAccess } from '../connect-temporal.ts';
import { type Listed, listedOf, plainTable, timeCells } from '../listed.ts';

/**
 * Promotions, newest first; one that was promoted, rejected or has expired is Completed. Visibility is a second or two behind.
 */
export async function listPromotions({ client }: TemporalAccess, limit: number): Promise<Listed[]> {
  const rows: Listed[] = [];
  for await (const info of client.workflow.list({ query: 'WorkflowType = "promotion"' })) {
    rows.push(listedOf(info));
    if (rows.length === limit) break;
  }
  return rows;
}

/** The same as a table. */
export function promotionTable(rows: Listed[]): string {
  if (rows.length === 0) return 'no promotions\n';
  const cells = rows.map((row) => [row.workflowId, row.status, ...timeCells(row)]);
  return `${plainTable(['promotion', 'status', 'started', 'took'], cells)}\n`;
}
