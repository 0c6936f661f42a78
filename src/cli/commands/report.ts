import { type Command, Option } from 'commander';
import { LeaderfallError, type Problem, problem } from '../../experiment/errors.ts';
import type { ChaosResult } from '../../experiment/result.ts';
import { htmlReport } from '../../report/html.ts';
import { jsonReport } from '../../report/json.ts';
import { junitReport } from '../../report/junit.ts';
import { markdownReport } from '../../report/markdown.ts';
import { textReport } from '../../report/text.ts';
import type { TemporalAccess } from '../connect-temporal.ts';
import { type RunRef, readHistories } from '../history/follow.ts';
import { resultFromHistory } from '../history/result-from-history.ts';
import { resultSoFar } from '../history/result-so-far.ts';
import { packed, pageProgram } from '../page-program.ts';
import { paintResult } from '../print-problem.ts';
import { withTemporal } from './shared.ts';

/** What a report can be besides text, by its option. */
const formats = {
  html: 'one page with a timeline to zoom, for a browser; needs no network',
  md: 'Markdown, fit for the summary of a CI job',
  json: 'JSON as `leaderfall schema result` describes it',
  junit: 'JUnit XML, for CI servers',
  svg: 'the timeline alone, a picture',
} as const;

/** A format of a report. */
export type ReportFormat = keyof typeof formats | 'text';

type ReportOptions = { runId?: string } & { [format in keyof typeof formats]?: true };

/** `leaderfall report` */
export function addReport(program: Command): void {
  const names = Object.keys(formats) as (keyof typeof formats)[];
  const command = program
    .command('report')
    .description(
      'report of a run that is over, made from its history alone; text where nothing else is asked for',
    )
    .argument('<workflow-id>');
  for (const name of names) {
    const others = names.filter((other) => other !== name);
    command.addOption(new Option(`--${name}`, formats[name]).conflicts(others));
  }
  command
    .option('--run-id <id>', 'one run of several with that workflow id (default: the newest)')
    .action(async (workflowId: string, { runId, ...asked }: ReportOptions) => {
      const run = { workflowId, ...(runId ? { runId } : {}) };
      const result = await withTemporal((access) => resultOf(access, run));
      process.stdout.write(await reportOf(result, names.find((name) => asked[name]) ?? 'text'));
    });
}

/**
 * The result of a run that is over; of one that was ended from outside, what it had come to. Throws INPUT_INVALID while it is
 * running, and what ended it where nothing had begun.
 */
export async function resultOf(access: TemporalAccess, run: RunRef): Promise<ChaosResult> {
  const outcome = await outcomeOf(access, run);
  if ('verdict' in outcome) return outcome;
  throw new LeaderfallError(outcome);
}

/** The same, but what ended a run where nothing had begun is given too: what this throws is about the reading, never about the run. */
export async function outcomeOf(access: TemporalAccess, run: RunRef): Promise<ChaosResult | Problem> {
  const { events, actions } = await readHistories(access, run);
  const end = resultFromHistory(events);
  if (!end) {
    throw problem('INPUT_INVALID', `run ${run.workflowId} is not over`, {
      next: `leaderfall watch ${run.workflowId}`,
    });
  }
  const result = end.result ?? resultSoFar(events, end);
  if (result) return { ...result, actions };
  return end.problem ?? { code: 'INTERNAL', message: 'the run recorded no result', retryable: false };
}

/** A result in one of the formats, ready to be written. */
export async function reportOf(result: ChaosResult, format: ReportFormat): Promise<string> {
  switch (format) {
    case 'text':
      return textReport(result, paintResult);
    case 'html':
      return htmlReport(result, await pageProgram(), packed);
    case 'md':
      return markdownReport(result);
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
