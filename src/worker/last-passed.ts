import type { Client } from '@temporalio/client';
import { comparableFigures } from '../experiment/regression.ts';
import type { ChaosResult } from '../experiment/result.ts';
import type { SearchAttributeName } from '../experiment/search-attributes.ts';
import type { Baseline } from '../experiment/verdict-line.ts';

/** Runs that are looked at before it is given up; each is one request. */
const maxLooks = 20;

/** What is needed of Temporal's client. */
export type RunsOfTemporal = Pick<Client['workflow'], 'list' | 'getHandle'>;

/**
 * The newest run that passed with a spec of this digest. Where its search attributes are registered Temporal finds it; else the
 * results of the newest completed runs are read.
 */
export async function lastPassed(
  runs: RunsOfTemporal,
  specHash: string,
  registered: readonly SearchAttributeName[],
): Promise<Baseline | undefined> {
  const query = ['WorkflowType = "kafkaBrokerFailure"', 'ExecutionStatus = "Completed"'];
  if (registered.includes('LeaderfallVerdict')) query.push('LeaderfallVerdict = "Pass"');
  if (registered.includes('LeaderfallSpecHash')) query.push(`LeaderfallSpecHash = "${specHash}"`);
  let looks = 0;
  for await (const { workflowId, runId } of runs.list({ query: query.join(' AND '), pageSize: maxLooks })) {
    if (looks++ === maxLooks) return undefined;
    const result: ChaosResult = await runs.getHandle(workflowId, runId, { followRuns: false }).result();
    if (result.verdict === 'Pass' && result.specHash === specHash) return baselineOf(result);
  }
  return undefined;
}

/** What later runs of the same spec are compared with. */
export function baselineOf(result: ChaosResult): Baseline {
  const { run, endedAt, lines } = result;
  return {
    workflowId: run.workflowId,
    runId: run.runId,
    endedAt,
    figures: comparableFigures(result, lines),
  };
}
