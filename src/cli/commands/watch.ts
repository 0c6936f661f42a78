import type { Command } from 'commander';
import { followToEnd } from '../follow-to-end.ts';
import { policyOfProcess } from '../interrupt.ts';
import { headLines, terminal, withTemporal } from './shared.ts';

/** `leaderfall watch` */
export function addWatch(program: Command, exit: (code: number) => void): void {
  program
    .command('watch')
    .description('show a run until it ends; exit code as of run')
    .argument('<workflow-id>')
    .option('--json', 'write the result as JSON to standard output')
    .option('--on-interrupt <what>', 'Ctrl-C: abort the run, or detach from it', 'detach')
    .action(async (workflowId: string, options: { json?: boolean; onInterrupt: string }) => {
      const policy = policyOfProcess(options.onInterrupt);
      exit(
        await withTemporal(async (access) => {
          const screen = terminal();
          for (const line of headLines(access, { workflowId })) screen.text(line);
          return await followToEnd(access, { workflowId }, screen, { policy, json: options.json ?? false });
        }),
      );
    });
}
