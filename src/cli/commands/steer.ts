import {
  isGrpcServiceError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { type Command, InvalidArgumentError } from 'commander';
import { problem } from '../../experiment/errors.ts';
import type { Request } from '../../experiment/steering.ts';
import type { TemporalAccess } from '../connect-temporal.ts';
import { withTemporal } from './shared.ts';

/** How long a run's worker is given to answer. ms */
const patienceMs = 30_000;

interface Asked {
  reason?: string;
  actor?: string;
  kills?: number;
}

/** A command for one request to a live run: `leaderfall pause ID`, `leaderfall kill-now ID` … */
export function addSteering(request: Request, description: string): (program: Command) => void {
  return (program) => {
    const name = request.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    const command = program
      .command(name)
      .description(description)
      .argument('<workflow-id>')
      .option('--reason <text>', 'why; kept in the run')
      .option('--actor <name>', 'who asks; kept in the run (default: the user of this machine)');
    if (request === 'extend') command.option('--kills <number>', 'so many kills more', positive, 1);
    command.action(async (workflowId: string, asked: Asked) => {
      const answer = await withTemporal((access) => ask(access, workflowId, request, asked));
      process.stdout.write(`${answer}\n`);
    });
  };
}

/** Sends the request and gives the run's answer. Throws REQUEST_REFUSED with the run's reason, INPUT_INVALID, TIMED_OUT. */
async function ask(
  { client }: TemporalAccess,
  workflowId: string,
  request: Request,
  { actor = process.env.USER, ...asked }: Asked,
): Promise<string> {
  const args: [Asked] = [{ ...asked, ...(actor ? { actor } : {}) }];
  try {
    return await client.withDeadline(Date.now() + patienceMs, () =>
      client.workflow.getHandle(workflowId).executeUpdate<string, [Asked]>(request, { args }),
    );
  } catch (cause) {
    if (cause instanceof WorkflowUpdateFailedError) {
      throw problem('REQUEST_REFUSED', `${request}: ${cause.cause?.message ?? cause.message}`, {
        next: `leaderfall status ${workflowId}`,
        cause,
      });
    }
    const closed = isGrpcServiceError(cause) && /already completed/i.test(cause.details);
    if (cause instanceof WorkflowNotFoundError || closed) {
      throw problem('INPUT_INVALID', `no run ${workflowId} is under way`, {
        next: 'leaderfall list shows the runs.',
        cause,
      });
    }
    if (!(cause instanceof WorkflowUpdateRPCTimeoutOrCancelledError)) throw cause;
    throw problem('TIMED_OUT', `the run did not answer within ${patienceMs / 1_000} s`, {
      next: 'leaderfall doctor tells whether a worker is there; the request may still be carried out when one comes.',
      cause,
    });
  }
}

function positive(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number <= 0) throw new InvalidArgumentError('a positive whole number');
  return number;
}
