import type { WorkflowExecutionInfo } from '@temporalio/client';
import Table from 'cli-table3';
import type { Command } from 'commander';
import { duration } from '../../report/format.ts';
import { positiveCount, withTemporal } from './shared.ts';

/** `leaderfall list` */
export function addList(program: Command): void {
  program
    .command('list')
    .description('runs that Temporal keeps, newest first')
    .option('-n, --limit <number>', 'at most so many', positiveCount, 20)
    .option('--json', 'write them as JSON')
    .action(async (options: { limit: number; json?: boolean }) => {
      const rows = await withTemporal(async ({ client }) => {
        const found: RunRow[] = [];
        for await (const info of client.workflow.list({ query: 'WorkflowType = "kafkaBrokerFailure"' })) {
          found.push(rowOf(info));
          if (found.length === options.limit) break;
        }
        return found;
      });
      process.stdout.write(options.json ? `${JSON.stringify(rows, null, 2)}\n` : tableOf(rows));
    });
}

interface RunRow {
  workflowId: string;
  runId: string;
  /** Running, Completed, Failed, Canceled … */
  status: string;
  /** By the search attributes, where they are registered. */
  verdict?: string;
  cluster?: string;
  startedAt: string;
  durationMs?: number;
}

function rowOf(info: WorkflowExecutionInfo): RunRow {
  const { status, startTime, closeTime } = info;
  const attribute = (name: string) => info.searchAttributes[name]?.[0] as string | undefined;
  const name = status.name.charAt(0) + status.name.slice(1).toLowerCase().replaceAll('_', ' ');
  return {
    workflowId: info.workflowId,
    runId: info.runId,
    status: name,
    verdict: attribute('LeaderfallVerdict'),
    cluster: attribute('LeaderfallCluster'),
    startedAt: startTime.toISOString(),
    ...(closeTime ? { durationMs: closeTime.getTime() - startTime.getTime() } : {}),
  };
}

function tableOf(rows: RunRow[]): string {
  if (rows.length === 0) return 'no runs\n';
  const table = new Table({
    head: ['run', 'status', 'verdict', 'cluster', 'started', 'took'],
    style: { head: [], border: [], compact: true },
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
  });
  for (const row of rows) {
    const took = row.durationMs === undefined ? '' : duration(row.durationMs);
    const started = row.startedAt.slice(0, 19).replace('T', ' ');
    table.push([row.workflowId, row.status, row.verdict ?? '', row.cluster ?? '', started, took]);
  }
  return `${table.toString()}\n`;
}
