import type { Closing } from '../../activities/contract.ts';
import type { Problem } from '../../experiment/errors.ts';
import type { ChaosResult, Verdict } from '../../experiment/result.ts';
import type { StreamPart } from '../../experiment/stream-part.ts';
import { withAllKills } from './kills-in-history.ts';
import type { RunEvent } from './run-event.ts';

/** How a run ended, as far as its history tells. */
export interface RunEnd {
  verdict: Verdict;
  /** What `record` returned; absent where the run ended without it. */
  result?: ChaosResult;
  /** What ended the run, where there is no result to say it. */
  problem?: Problem;
}

/**
 * The end of a run from its events, those of a continued run included; undefined while it is running.
 * The last result of `record` counts, whatever way the workflow closed.
 */
export function resultFromHistory(events: readonly RunEvent[]): RunEnd | undefined {
  const closed = events.findLast((event) => event.kind === 'closed');
  if (!closed || closed.nextRunId) return undefined;
  const recorded = events.findLast((event) => event.kind === 'completed' && event.activity === 'record');
  if (recorded?.kind === 'completed') {
    const result = withAllKills(recorded.result as ChaosResult, events);
    return { verdict: result.verdict, result: { ...result, ...overTime(events) } };
  }
  const { status } = closed;
  if (status === 'canceled')
    return { verdict: 'Stopped', problem: unrecorded('the run was cancelled before it could record') };
  if (status === 'failed' && closed.problem) return { verdict: 'Error', problem: closed.problem };
  const why = closed.reason ? ` (${closed.reason})` : '';
  return {
    verdict: 'Error',
    problem: unrecorded(`the run was ${status}${why} from outside: no clean-up ran`),
  };
}

/** What a run was like over time stands in what took the parts of its stream and what closed it, and nowhere else. */
export function overTime(events: readonly RunEvent[]): Pick<ChaosResult, 'series' | 'parts'> {
  const closing = events.findLast((event) => event.kind === 'completed' && event.activity === 'closeStream');
  const { series, changes }: Partial<Closing> =
    closing?.kind === 'completed' ? (closing.result as Closing) : {};
  const taken = events.flatMap((event) =>
    event.kind === 'completed' && event.activity === 'takePart' ? [partOf(event.result as StreamPart)] : [],
  );
  const parts = changes ? [...taken, { changes }] : taken;
  return { ...(series ? { series } : {}), ...(parts.length > 0 ? { parts } : {}) };
}

function partOf({ series, changes }: StreamPart): StreamPart {
  return { ...(series ? { series } : {}), ...(changes ? { changes } : {}) };
}

function unrecorded(message: string): Problem {
  return {
    code: 'INTERNAL',
    message,
    next: 'Look for what it left: kubectl get pods,leases -A -l app.kubernetes.io/managed-by=leaderfall',
    retryable: false,
  };
}
