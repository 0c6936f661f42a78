import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { upsertSearchAttributes } from '@temporalio/workflow';
import type { Resolved, SearchAttributeName } from '../activities/contract.ts';
import type { ChaosResult } from '../experiment/result.ts';

/** Makes the run findable by its cluster, where that attribute is registered. */
export function markRun(resolved: Resolved): void {
  const { namespace } = resolved.experiment.cluster;
  upsert(resolved, {
    LeaderfallCluster: `${namespace}/${resolved.statefulSetName}`,
    LeaderfallVerdict: 'Running',
  });
}

/** Makes the run findable by its verdict, where that attribute is registered. */
export function markResult(result: ChaosResult, resolved: Resolved | undefined): void {
  if (resolved) upsert(resolved, { LeaderfallVerdict: result.verdict });
}

function upsert(resolved: Resolved, values: Partial<Record<SearchAttributeName, string>>): void {
  const pairs = resolved.searchAttributes.flatMap((name) => {
    const value = values[name];
    return value === undefined
      ? []
      : [{ key: defineSearchAttributeKey(name, SearchAttributeType.KEYWORD), value }];
  });
  if (pairs.length > 0) upsertSearchAttributes(pairs);
}
