import { type Command, Option } from 'commander';
import { LeaderfallError, problem } from '../../experiment/errors.ts';
import type { ChaosResult } from '../../experiment/result.ts';
import { jsonReport } from '../../report/json.ts';
import { junitReport } from '../../report/junit.ts';
import { textReport } from '../../report/text.ts';
import type { TemporalAccess } from '../connect-temporal.ts';
import { readRun } from '../history/follow.ts';
import { resultFromHistory } from '../history/result-from-history.ts';
import { paintResult } from '../print-problem.ts';
import { withTemporal } from './shared.ts';

/** What a report can be. */
export type ReportFormat = 'text' | 'json' | 'junit' | 'svg';

/** `leaderfall report` */
export function addReport(program: Command): void {
  program
    .command('report')
    .description('report of a run that is over, made from its history alone')
    .argument('<workflow-id>')
    .addOption(new Option('--format <format>').choices(['text', 'json', 'junit', 'svg']).default('text'))
    .option('--run-id <id>', 'one run of several with that workflow id (default: the newest)')
    .action(async (workflowId: string, options: { format: ReportFormat; runId?: string }) => {
      const run = { workflowId, ...(options.runId ? { runId: options.runId } : {}) };
      const result = await withTemporal((access) => resultOf(access, run));
      process.stdout.write(await reportOf(result, options.format));
    });
}

/** The result of a run that is over. Throws INPUT_INVALID while it is running, and what ended it where it recorded nothing. */
export async function resultOf(
  access: TemporalAccess,
  run: { workflowId: string; runId?: string },
): Promise<ChaosResult> {
  const end = resultFromHistory(await readRun(access, run));
  if (!end) {
    throw problem('INPUT_INVALID', `run ${run.workflowId} is not over`, {
      next: `leaderfall watch ${run.workflowId}`,
    });
  }
  if (end.result) return end.result;
  throw new LeaderfallError(
    end.problem ?? { code: 'INTERNAL', message: 'the run recorded no result', retryable: false },
  );
}

/** A result in one of the formats, ready to be written. */
export async function reportOf(result: ChaosResult, format: ReportFormat): Promise<string> {
  switch (format) {
    case 'text':
      return textReport(result, paintResult);
    case 'json':
      return jsonReport(result);
    case 'junit':
      return junitReport(result);
    case 'svg': {
      // The chart library is large, and no other command needs it.
      const { timelineSvg } = await import('../../report/timeline-svg.ts');
      return timelineSvg(result);
    }
  }
}
