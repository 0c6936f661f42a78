import type { WorkflowExecutionInfo } from '@temporalio/client';
import Table from 'cli-table3';
import { duration } from '../report/format.ts';

/** One execution of a workflow as Temporal lists it. */
export interface Listed {
  workflowId: string;
  runId: string;
  /** Running, Completed, Failed, Cancelled … */
  status: string;
  /** RFC 3339 */
  startedAt: string;
  durationMs?: number;
}

/** An execution as plain data. */
export function listedOf(info: WorkflowExecutionInfo): Listed {
  const { status, startTime, closeTime } = info;
  return {
    workflowId: info.workflowId,
    runId: info.runId,
    status: status.name.charAt(0) + status.name.slice(1).toLowerCase().replaceAll('_', ' '),
    startedAt: startTime.toISOString(),
    ...(closeTime ? { durationMs: closeTime.getTime() - startTime.getTime() } : {}),
  };
}

/** When an execution started and how long it took, as two cells of a table. */
export function timeCells({ startedAt, durationMs }: Listed): [string, string] {
  return [startedAt.slice(0, 19).replace('T', ' '), durationMs === undefined ? '' : duration(durationMs)];
}

/** A table without colours and without lines between its rows. */
export function plainTable(head: string[], rows: string[][]): string {
  const table = new Table({
    head,
    style: { head: [], border: [], compact: true },
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
  });
  table.push(...rows);
  return table.toString();
}
