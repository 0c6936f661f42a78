import { styleText } from 'node:util';
import { type ErrorCode, type Problem, problemOf } from '../experiment/errors.ts';
import { usageExitCode, verdictExitCodes } from './exit-codes.ts';

type Style = Parameters<typeof styleText>[0];

/** Colours a text where the stream is a terminal that takes colours; NO_COLOR and FORCE_COLOR are honoured. */
export type Paint = (style: Style, text: string) => string;

/** Paint for standard error, where everything but results is written. */
export const paint: Paint = (style, text) => styleText(style, text, { stream: process.stderr });

/** Problems that the person's own input caused: the command ends as for a bad flag. */
const usageProblems: ReadonlySet<ErrorCode> = new Set(['INPUT_INVALID', 'CONFIGURATION_INVALID']);

/** Code, step, cause, evidence, next action: one to a line, in this order. */
export function problemLines(problem: Problem, color: Paint = paint): string[] {
  const where = problem.step ? ` in step ${problem.step}` : '';
  const lines = [`${color(['bold', 'red'], problem.code)}${where}: ${problem.message}`];
  for (const fact of problem.evidence ?? []) lines.push(`  - ${fact}`);
  if (problem.next) lines.push(`  ${color('bold', 'next:')} ${problem.next}`);
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
