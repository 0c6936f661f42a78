import type { Command } from 'commander';
import { inputInvalid } from '../../experiment/issues.ts';
import type { DecisionRequest } from '../../experiment/promotion/decision.ts';
import type { TemporalAccess } from '../connect-temporal.ts';
import { promotionExitCodes } from '../exit-codes.ts';
import { paintResult } from '../print-problem.ts';
import { drawPromotion } from '../promote/draw.ts';
import { promotionEnd, readPromotion, type StartOptions, startPromotion } from '../promote/promotions.ts';
import { readDocument } from '../read-input.ts';
import { sendRequest } from '../send-request.ts';
import { withTemporal } from './shared.ts';

interface StartFlags extends StartOptions, ShowFlags {
  file: string;
  subject?: string;
  actor?: string;
}

interface ShowFlags {
  wait?: boolean;
  json?: boolean;
}

const requests: [DecisionRequest, string][] = [
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
      '\nExit codes of start --wait and status: 0 Promoted or under way, 1 Rejected, 2 Expired, 3 Error, 4 Stopped, 64 usage.',
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
    .option('--json', 'with --wait: write the record as JSON')
    .action(async ({ file, subject, actor, ...flags }: StartFlags) => {
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
      const code = await withTemporal(async (access) => {
        const workflowId = await startPromotion(access, whole, flags);
        if (flags.wait) return await show(access, workflowId, flags);
        process.stdout.write(`${workflowId}\n`);
        return 0;
      });
      exit(code);
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
    .action(async (workflowId: string) => {
      await withTemporal(async (access) => {
        await readPromotion(access, workflowId);
        await access.client.workflow.getHandle(workflowId).cancel();
      });
      process.stdout.write(`${workflowId} is asked to stop\n`);
    });
}

async function show(access: TemporalAccess, workflowId: string, { wait, json }: ShowFlags): Promise<number> {
  if (wait) await promotionEnd(access, workflowId);
  const record = await readPromotion(access, workflowId);
  const text = json
    ? JSON.stringify(record, null, 2)
    : drawPromotion(record, paintResult, Date.now()).join('\n');
  process.stdout.write(`${text}\n`);
  return promotionExitCodes[record.outcome];
}
