import { InvalidArgumentError } from 'commander';
import { connectTemporal, type TemporalAccess, temporalProblem } from '../connect-temporal.ts';
import { paint } from '../print-problem.ts';
import { type Screen, screen } from '../progress/screen.ts';
import { webUiOf } from '../web-ui.ts';

/** Opens a Temporal connection for the time of `use`. */
export async function withTemporal<T>(use: (access: TemporalAccess) => Promise<T>): Promise<T> {
  const access = await connectTemporal();
  try {
    return await use(access);
  } catch (error) {
    throw temporalProblem(error, access);
  } finally {
    await access.connection.close();
  }
}

/** The person's terminal: progress goes to standard error, results alone to standard output. */
export function terminal(): Screen {
  return screen(process.stderr, { paint });
}

/** Which run this is and where else it can be seen. */
export function headLines(access: TemporalAccess, run: { workflowId: string; runId?: string }): string[] {
  const ui = webUiOf(access.address, { namespace: access.namespace, ...run });
  return [
    `${paint('strong', run.workflowId)}${run.runId ? paint('dim', `  run ${run.runId}`) : ''}`,
    ...(ui ? [paint('dim', ui)] : []),
  ];
}

/** Parser of a positive whole number of seconds. */
export function positiveSeconds(text: string): number {
  const seconds = Number(text);
  if (!Number.isInteger(seconds) || seconds <= 0)
    throw new InvalidArgumentError('a positive whole number of seconds');
  return seconds;
}

/** Parser of a positive whole number of things. */
export function positiveCount(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number <= 0) throw new InvalidArgumentError('a positive whole number');
  return number;
}
