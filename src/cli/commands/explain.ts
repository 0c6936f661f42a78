import type { Command } from 'commander';
import { explainText } from '../../report/explain.ts';
import { paintResult } from '../print-problem.ts';
import { resultOf } from './report.ts';
import { withTemporal } from './shared.ts';

/** `leaderfall explain` */
export function addExplain(program: Command): void {
  program
    .command('explain')
    .description('how a run that is over came to its verdict, line by line')
    .argument('<workflow-id>')
    .option('--json', 'write the lines as JSON')
    .option('--run-id <id>', 'one run of several with that workflow id (default: the newest)')
    .action(async (workflowId: string, { runId, json }: { runId?: string; json?: boolean }) => {
      const run = { workflowId, ...(runId ? { runId } : {}) };
      const result = await withTemporal((access) => resultOf(access, run));
      const { verdict, reasons, specHash, lines = [] } = result;
      process.stdout.write(
        json
          ? `${JSON.stringify({ verdict, reasons, specHash, lines }, null, 2)}\n`
          : explainText(result, paintResult),
      );
    });
}
