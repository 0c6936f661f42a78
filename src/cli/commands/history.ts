import type { WorkflowExecutionInfo } from '@temporalio/client';
import { type Command, Option } from 'commander';
import { LeaderfallError, type Problem } from '../../experiment/errors.ts';
import type { ChaosResult } from '../../experiment/result.ts';
import { trendOf } from '../../report/trend.ts';
import { trendPage } from '../../report/trend-html.ts';
import { trendText } from '../../report/trend-text.ts';
import type { TemporalAccess } from '../connect-temporal.ts';
import { paintResult } from '../print-problem.ts';
import { outcomeOf } from './report.ts';
import { positiveCount, withTemporal } from './shared.ts';

interface HistoryOptions {
  schedule: string;
  limit: number;
  html?: true;
  json?: true;
}

/** `leaderfall history` */
export function addHistory(program: Command): void {
  program
    .command('history')
    .description(
      'how the runs of a schedule came out over time, and what got worse; a table where nothing else is asked for',
    )
    .requiredOption('-s, --schedule <name>', 'name of the schedule')
    .option('-n, --limit <number>', 'at most so many, the newest', positiveCount, 30)
    .addOption(
      new Option('--html', 'one page with a chart, for a browser; needs no network').conflicts('json'),
    )
    .option('--json', 'write it as JSON')
    .action(async ({ schedule, limit, html, json }: HistoryOptions) => {
      const runs = trendOf(await withTemporal((access) => resultsOf(access, schedule, limit)));
      if (json) process.stdout.write(`${JSON.stringify({ schedule, runs }, null, 2)}\n`);
      else if (!html) process.stdout.write(trendText(runs, paintResult));
      else {
        // The chart library is large, and no other command needs it.
        const { trendSvg } = await import('../../report/trend-svg.ts');
        process.stdout.write(trendPage(schedule, runs, trendSvg(runs)));
      }
    });
}

/**
 * Results of the newest runs that a schedule started and that are over. Each is read from its history. Throws where one cannot be read:
 * left out or called an Error, it would be taken for what the schedule came to.
 */
export async function resultsOf(
  access: TemporalAccess,
  schedule: string,
  limit: number,
): Promise<ChaosResult[]> {
  const query = [
    `TemporalScheduledById = "${schedule.replaceAll(/["\\]/g, '\\$&')}"`,
    'WorkflowType = "kafkaBrokerFailure"',
    'ExecutionStatus != "Running"',
    'ExecutionStatus != "ContinuedAsNew"',
  ].join(' AND ');
  const results: ChaosResult[] = [];
  for await (const info of access.client.workflow.list({ query })) {
    const { workflowId, runId } = info;
    const outcome = await outcomeOf(access, { workflowId, runId }).catch(unlessGone);
    if (outcome) results.push('verdict' in outcome ? outcome : withoutResult(info, outcome));
    if (results.length === limit) break;
  }
  return results;
}

/** Visibility lists a run for a while that Temporal keeps no longer. */
function unlessGone(error: unknown): undefined {
  if (!(error instanceof LeaderfallError) || error.problem.code !== 'INPUT_INVALID') throw error;
}

/** A run that ended before it had anything to record still counts, as the Error that it is. */
function withoutResult(
  { workflowId, runId, startTime, closeTime }: WorkflowExecutionInfo,
  { message }: Problem,
): ChaosResult {
  return {
    schema: 'leaderfall.io/result/v1',
    run: { temporalNamespace: '', workflowId, runId },
    name: workflowId,
    verdict: 'Error',
    reasons: [message],
    startedAt: startTime.toISOString(),
    endedAt: (closeTime ?? startTime).toISOString(),
    plannedKills: 0,
    kills: [],
    leftovers: [],
    timeline: [],
    versions: {},
  };
}
