import { type Command, InvalidArgumentError } from 'commander';
import type { Request } from '../../experiment/steering.ts';
import { sendRequest } from '../send-request.ts';
import { withTemporal } from './shared.ts';

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
    command.action(async (workflowId: string, { actor = process.env.USER, ...asked }: Asked) => {
      const input = { ...asked, ...(actor ? { actor } : {}) };
      const answer = await withTemporal((access) => sendRequest(access, workflowId, request, input));
      process.stdout.write(`${answer}\n`);
    });
  };
}

function positive(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number <= 0) throw new InvalidArgumentError('a positive whole number');
  return number;
}
