import type { WorkflowExecutionInfo } from '@temporalio/client';
import type { Command } from 'commander';
import { type Listed, listedOf, plainTable, timeCells } from '../listed.ts';
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

interface RunRow extends Listed {
  /** By the search attributes, where they are registered. */
  verdict?: string;
  cluster?: string;
}

function rowOf(info: WorkflowExecutionInfo): RunRow {
  const attribute = (name: string) => info.searchAttributes[name]?.[0] as string | undefined;
  return {
    ...listedOf(info),
    verdict: attribute('LeaderfallVerdict'),
    cluster: attribute('LeaderfallCluster'),
  };
}

function tableOf(rows: RunRow[]): string {
  if (rows.length === 0) return 'no runs\n';
  const cells = rows.map((row) => [
    ...[row.workflowId, row.status, row.verdict ?? '', row.cluster ?? ''],
    ...timeCells(row),
  ]);
  return `${plainTable(['run', 'status', 'verdict', 'cluster', 'started', 'took'], cells)}\n`;
}
