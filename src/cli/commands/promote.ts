import type { Command } from 'commander';
import { inputInvalid } from '../../experiment/issues.ts';
import type { DecisionRequest } from '../../experiment/promotion/decision.ts';
import { promotionJunit, promotionMarkdown } from '../../report/promotion-ci.ts';
import { type CiFiles, type CiWriter, withCiFiles } from '../ci-files.ts';
import type { TemporalAccess } from '../connect-temporal.ts';
import { promotionExitCodes } from '../exit-codes.ts';
import { paintResult } from '../print-problem.ts';
import { drawPromotion } from '../promote/draw.ts';
import { listPromotions, promotionTable } from '../promote/list.ts';
import {
  promotionEnd,
  readPromotion,
  type StartOptions,
  startPromotion,
  stopPromotion,
} from '../promote/promotions.ts';
import { readDocument } from '../read-input.ts';
import { sendRequest } from '../send-request.ts';
import { webUiOf } from '../web-ui.ts';
import { positiveCount, positiveSeconds, terminal, withTemporal } from './shared.ts';

interface StartFlags extends StartOptions, ShowFlags, CiFiles {
  file: string;
  subject?: string;
  actor?: string;
}

interface ShowFlags {
  wait?: boolean;
  timeout?: number;
  json?: boolean;
}

const requests: [Exclude<DecisionRequest, 'stop'>, string][] = [
  ['approve', 'approve the stage that waits for it'],
  ['reject', 'end a promotion as Rejected; runs under way are stopped and clean up'],
  ['override', 'let a stage go on in spite of what holds it'],
  ['retry', 'begin a held stage anew'],
];

/** `leaderfall promote …` */
export function addPromote(program: Command, exit: (code: number) => void): void {
  const promote = program
    .command('promote')
    .description('take a subject through stages: experiments and gates, from staging to production')
    .addHelpText(
      'after',
      '\nExit codes of start --wait and status: 0 Promoted, or under way without --wait, 1 Rejected, 2 Expired, 3 Error, 4 Stopped, 64 usage.',
    );

  promote
    .command('start')
    .description('start a promotion; its workflow id goes to standard output')
    .requiredOption('-f, --file <file>', 'YAML or JSON: subject, stages …; - reads standard input')
    .option('--subject <text>', 'what is promoted, instead of what the file says')
    .option('--actor <name>', 'who starts it (default: what the file says, else the user of this machine)')
    .option('--workflow-id <id>', 'id of the promotion (default: name, time and a random part)')
    .option('--task-queue <name>', 'queue of its worker (default: LEADERFALL_TASK_QUEUE or leaderfall)')
    .option('--wait', 'until it has ended; the exit code says how')
    .option('--json', 'write its ids as JSON; with --wait: the record')
    .option('--junit <file>', 'with --wait: write the record as JUnit XML to a file')
    .option('--summary <file>', 'with --wait: append the record as Markdown to a file')
    .option('--timeout <seconds>', 'with --wait: stop it when it is not over after so long', positiveSeconds)
    .action(async (flags: StartFlags) => {
      exit(await withCiFiles(flags, 'promotion', (write) => start(flags, write)));
    });

  promote
    .command('list')
    .description('promotions that Temporal keeps, newest first')
    .option('-n, --limit <number>', 'at most so many', positiveCount, 20)
    .option('--json', 'write them as JSON')
    .action(async ({ limit, json }: { limit: number; json?: boolean }) => {
      const rows = await withTemporal((access) => listPromotions(access, limit));
      process.stdout.write(json ? `${JSON.stringify(rows, null, 2)}\n` : promotionTable(rows));
    });

  promote
    .command('status')
    .description('the stages of a promotion, and what it waits for')
    .argument('<workflow-id>')
    .option('--wait', 'until it has ended')
    .option('--json', 'write the record as JSON')
    .action(async (workflowId: string, flags: ShowFlags) => {
      exit(await withTemporal((access) => show(access, workflowId, flags)));
    });

  for (const [request, description] of requests) {
    promote
      .command(request)
      .description(description)
      .argument('<workflow-id>')
      .requiredOption('--reason <text>', 'why; kept in the record')
      .option('--actor <name>', 'who decides; kept in the record', process.env.USER)
      .option('--role <text>', 'as what')
      .option('--stage <name>', 'refused where the promotion is at another stage')
      .action(async (workflowId: string, said: object) => {
        const answer = await withTemporal((access) =>
          sendRequest(access, workflowId, request, said, 'leaderfall promote status'),
        );
        process.stdout.write(`${answer}\n`);
      });
  }

  promote
    .command('stop')
    .description('stop a promotion; runs under way are stopped and clean up')
    .argument('<workflow-id>')
    .option('--reason <text>', 'why; kept in the record')
    .option('--actor <name>', 'who asks; kept with the reason', process.env.USER)
    .action(async (workflowId: string, said: { reason?: string; actor?: string }) => {
      await withTemporal((access) => stopPromotion(access, workflowId, said));
      process.stdout.write(`${workflowId} is asked to stop\n`);
    });
}

async function start({ file, subject, actor, ...flags }: StartFlags, write: CiWriter): Promise<number> {
  const { wait, junit, summary, timeout } = flags;
  if (!wait && (junit ?? summary ?? timeout) !== undefined)
    throw inputInvalid(['--junit, --summary and --timeout need --wait']);
  const input = await readDocument(file);
  if (typeof input !== 'object' || input === null || Array.isArray(input))
    throw inputInvalid(['file: one promotion is expected']);
  const { startedBy = process.env.USER, ...rest } = input as Record<string, unknown>;
  const starter = actor ?? startedBy;
  const whole = {
    ...rest,
    ...(subject === undefined ? {} : { subject }),
    ...(starter ? { startedBy: starter } : {}),
  };
  return await withTemporal(async (access) => {
    const { workflowId, runId } = await startPromotion(access, whole, flags);
    if (wait) return await show(access, workflowId, flags, write);
    const webUi = webUiOf(access.address, { namespace: access.namespace, workflowId, runId });
    process.stdout.write(`${flags.json ? JSON.stringify({ workflowId, runId, webUi }) : workflowId}\n`);
    return 0;
  });
}

async function show(
  access: TemporalAccess,
  workflowId: string,
  flags: ShowFlags,
  write?: CiWriter,
): Promise<number> {
  const record = flags.wait
    ? await promotionEnd(access, workflowId, { timeoutSeconds: flags.timeout, say: terminal().text })
    : await readPromotion(access, workflowId);
  await write?.({ junit: () => promotionJunit(record), summary: () => promotionMarkdown(record) });
  const text = flags.json
    ? JSON.stringify(record, null, 2)
    : drawPromotion(record, paintResult, Date.now()).join('\n');
  process.stdout.write(`${text}\n`);
  return promotionExitCodes[record.outcome];
}
