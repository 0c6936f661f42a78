import type { Command } from 'commander';
import type { TemporalAccess } from '../connect-temporal.ts';
import { endLines } from '../follow-to-end.ts';
import { readRun } from '../history/follow.ts';
import { type RunEnd, resultFromHistory } from '../history/result-from-history.ts';
import { eventTeller } from '../progress/event-lines.ts';
import type { Line } from '../progress/line.ts';
import { type Pending, pendingOf } from '../progress/pending.ts';
import { headLines, terminal, withTemporal } from './shared.ts';

/** How many of the last lines a person wants who asks how it stands. */
const lastLines = 8;

/** `leaderfall status` */
export function addStatus(program: Command): void {
  program
    .command('status')
    .description('how a run stands now')
    .argument('<workflow-id>')
    .option('--json', 'write it as JSON')
    .action(async (workflowId: string, options: { json?: boolean }) => {
      await withTemporal(async (access) => {
        const { lines, pending, end, startedAt } = await statusOf(access, workflowId);
        if (options.json) {
          const state = end ? 'ended' : 'running';
          process.stdout.write(`${JSON.stringify({ workflowId, state, ...end, pending }, null, 2)}\n`);
          return;
        }
        const screen = terminal();
        if (startedAt !== undefined) screen.startedAt(startedAt);
        for (const line of headLines(access, { workflowId })) screen.text(line);
        for (const line of lines.slice(-lastLines)) screen.line(line);
        for (const one of pending) {
          screen.text(
            `now: ${one.activity}, attempt ${one.attempt}${one.taken ? '' : ', waiting for a worker'}`,
          );
          for (const text of one.lines) screen.text(`  ${text}`);
        }
        for (const line of end ? endLines(end, { workflowId }) : []) screen.text(line);
      });
    });
}

async function statusOf(
  access: TemporalAccess,
  workflowId: string,
): Promise<{ lines: Line[]; pending: Pending[]; end?: RunEnd; startedAt?: number }> {
  const events = await readRun(access, { workflowId });
  const lines = events.flatMap(eventTeller());
  const end = resultFromHistory(events);
  const startedAt = events[0]?.at;
  if (end) return { lines, pending: [], end, startedAt };
  const described = await access.client.workflow.getHandle(workflowId).describe();
  return { lines, pending: await pendingOf(access.client, described), startedAt };
}
