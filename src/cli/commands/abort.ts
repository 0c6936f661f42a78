import { WorkflowNotFoundError } from '@temporalio/client';
import { type Command, Option } from 'commander';
import { problem } from '../../experiment/errors.ts';
import type { TemporalAccess } from '../connect-temporal.ts';
import { verdictExitCodes } from '../exit-codes.ts';
import { followToEnd } from '../follow-to-end.ts';
import { insistOnType } from '../history/own-type.ts';
import { headLines, terminal, withTemporal } from './shared.ts';

interface AbortOptions {
  detach?: boolean;
  json?: boolean;
  reason?: string;
  actor?: string;
}

/** `leaderfall abort` */
export function addAbort(program: Command, exit: (code: number) => void): void {
  program
    .command('abort')
    .description('stop a run: no further kill, clean-up, verdict Stopped')
    .argument('<workflow-id>')
    .option('--reason <text>', 'why; kept in the run')
    .option('--actor <name>', 'who asks; kept with the reason (default: the user of this machine)')
    .addOption(new Option('-d, --detach', 'ask for it only, do not wait for the clean-up').conflicts('json'))
    .option('--json', 'write the result as JSON to standard output')
    .action(async (workflowId: string, options: AbortOptions) => {
      exit(await withTemporal((access) => abort(access, workflowId, options)));
    });
}

async function abort(access: TemporalAccess, workflowId: string, options: AbortOptions): Promise<number> {
  const handle = access.client.workflow.getHandle(workflowId);
  // Temporal takes a cancel of a closed run without a word.
  const { status, type } = await handle.describe().catch((cause: unknown) => {
    throw cause instanceof WorkflowNotFoundError ? notUnderWay(workflowId, 'it is unknown', cause) : cause;
  });
  // Of another type it has neither this signal nor a clean-up: it would ignore the one, and end by a cancel without the other.
  insistOnType(workflowId, type);
  if (status.name !== 'RUNNING') throw notUnderWay(workflowId, `it is ${status.name.toLowerCase()}`);
  const { reason, actor = process.env.USER } = options;
  // Both reach a run whose worker is away; only the run's own signal carries who and why.
  if (reason === undefined) await handle.cancel();
  else await handle.signal('abort', { reason, ...(actor ? { actor } : {}) });
  const screen = terminal();
  for (const line of headLines(access, { workflowId })) screen.text(line);
  screen.text('Abort asked for; the worker stops killing and cleans up.');
  if (options.detach) return 0;
  const code = await followToEnd(access, { workflowId }, screen, {
    policy: 'detach',
    json: options.json ?? false,
  });
  // Stopped is what was asked for.
  return code === verdictExitCodes.Stopped ? 0 : code;
}

function notUnderWay(workflowId: string, why: string, cause?: unknown) {
  return problem('INPUT_INVALID', `no run ${workflowId} is under way: ${why}`, {
    next: 'leaderfall list shows the runs.',
    cause,
  });
}
