import type { Command } from 'commander';
import { problem } from '../../experiment/errors.ts';
import { junitReport } from '../../report/junit.ts';
import { markdownReport } from '../../report/markdown.ts';
import { type CiWriter, problemTexts, withCiFiles } from '../ci-files.ts';
import { followToEnd } from '../follow-to-end.ts';
import type { RunEnd } from '../history/result-from-history.ts';
import { policyOfProcess } from '../interrupt.ts';
import { readInput } from '../read-input.ts';
import { startRun } from '../start-run.ts';
import { webUiOf } from '../web-ui.ts';
import { headLines, positiveSeconds, terminal, withTemporal } from './shared.ts';

interface RunOptions {
  file: string;
  detach?: boolean;
  json?: boolean;
  junit?: string;
  summary?: string;
  onInterrupt?: string;
  workflowId?: string;
  taskQueue?: string;
  timeout?: number;
}

/** `leaderfall run` */
export function addRun(program: Command, exit: (code: number) => void): void {
  program
    .command('run')
    .description('start an experiment, show it live, end with its verdict')
    .requiredOption(
      '-f, --file <file>',
      'experiment or Litmus ChaosEngine, YAML or JSON; - reads standard input',
    )
    .option('-d, --detach', 'start only; the run goes on in Temporal')
    .option('--json', 'write the result as JSON to standard output')
    .option('--junit <file>', 'write the result as JUnit XML to a file')
    .option('--summary <file>', 'append the result as Markdown to a file, such as $GITHUB_STEP_SUMMARY')
    .option(
      '--on-interrupt <what>',
      'Ctrl-C: abort the run, or detach from it (default: ask; without a terminal detach, under CI abort)',
    )
    .option('--workflow-id <id>', 'id of the run (default: name, time and a random part)')
    .option('--task-queue <name>', 'queue of the worker (default: LEADERFALL_TASK_QUEUE or leaderfall)')
    .option('--timeout <seconds>', 'abort the run when it is not over after so long', positiveSeconds)
    .addHelpText(
      'after',
      '\nExit codes: 0 Pass, 1 Fail, 2 Inconclusive, 3 Error, 4 Stopped, 5 Skipped, 64 usage, 130 stopped watching.',
    )
    .action(async (options: RunOptions) => {
      exit(await withCiFiles(options, 'run', (write) => run(options, write)));
    });
}

async function run(options: RunOptions, write: CiWriter): Promise<number> {
  const watching = (['timeout', 'junit', 'summary'] as const).find((name) => options[name] !== undefined);
  if (options.detach && watching) {
    throw problem('INPUT_INVALID', `--${watching} needs somebody who watches, --detach leaves nobody`, {
      next: 'Leave one of the two out.',
    });
  }
  const policy = policyOfProcess(options.onInterrupt);
  const input = await readInput(options.file);
  return await withTemporal(async (access) => {
    const started = await startRun(access, input, options);
    const screen = terminal();
    for (const line of headLines(access, started)) screen.text(line);
    if (options.detach) {
      const { workflowId, runId } = started;
      screen.text(`Started. leaderfall watch ${workflowId}  |  leaderfall abort ${workflowId}`);
      const webUi = webUiOf(access.address, { namespace: access.namespace, workflowId, runId });
      process.stdout.write(`${options.json ? JSON.stringify({ workflowId, runId, webUi }) : workflowId}\n`);
      return 0;
    }
    const { timeout, json = false } = options;
    const onEnd = async ({ result, problem: found }: RunEnd) => {
      if (result) await write({ junit: () => junitReport(result), summary: () => markdownReport(result) });
      else if (found) await write(problemTexts(started.workflowId, found));
    };
    return await followToEnd(access, started, screen, { policy, json, timeoutSeconds: timeout, onEnd });
  });
}
