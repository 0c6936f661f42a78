import { styleText } from 'node:util';
import { type ErrorCode, type Problem, problemOf } from '../experiment/errors.ts';
import type { Paint } from '../report/format.ts';
import { usageExitCode, verdictExitCodes } from './exit-codes.ts';

const styles = { good: 'green', bad: 'red', warn: 'yellow', dim: 'dim', strong: 'bold' } as const;

/** Paint for standard error, where everything but results is written; NO_COLOR and FORCE_COLOR are honoured. */
export const paint: Paint = (tone, text) => styleText(styles[tone], text, { stream: process.stderr });

/** Paint for standard output. */
export const paintResult: Paint = (tone, text) => styleText(styles[tone], text, { stream: process.stdout });

/** Problems that the person's own input caused: the command ends as for a bad flag. */
const usageProblems: ReadonlySet<ErrorCode> = new Set(['INPUT_INVALID', 'CONFIGURATION_INVALID']);

/** Code, step, cause, evidence, next action: one to a line, in this order. */
export function problemLines(problem: Problem, color: Paint = paint): string[] {
  const where = problem.step ? ` in step ${problem.step}` : '';
  const lines = [`${color('bad', problem.code)}${where}: ${problem.message}`];
  for (const fact of problem.evidence ?? []) lines.push(`  - ${fact}`);
  if (problem.next) lines.push(`  ${color('strong', 'next:')} ${problem.next}`);
  if (problem.retryable) lines.push('  The same command may succeed later without any change.');
  return lines;
}

/** Writes a thrown value to standard error and gives the exit code. */
export function printProblem(error: unknown): number {
  const found = problemOf(error);
  process.stderr.write(`${problemLines(found).join('\n')}\n`);
  if (found.code === 'INTERNAL' && error instanceof Error && process.env.LEADERFALL_LOG_LEVEL === 'debug') {
    process.stderr.write(`${error.stack ?? ''}\n`);
  }
  return exitCodeOf(found);
}

/** 64 where the input is to blame, else 3 as for a run that ended in Error. */
export function exitCodeOf(problem: Problem): number {
  return usageProblems.has(problem.code) ? usageExitCode : verdictExitCodes.Error;
}
