import { defineSearchAttributeKey, type SearchAttributePair, SearchAttributeType } from '@temporalio/common';
import { upsertSearchAttributes } from '@temporalio/workflow';
import type { Resolved } from '../activities/contract.ts';
import { countKills } from '../experiment/earlier-kills.ts';
import type { ChaosResult } from '../experiment/result.ts';
import { type SearchAttributeName, searchAttributes } from '../experiment/search-attributes.ts';

type Values = Partial<Record<SearchAttributeName, string | number>>;

/** Makes the run findable by what it is about, where those attributes are registered. */
export function markRun(resolved: Resolved): void {
  const { cluster, fault, target, environment } = resolved.experiment;
  upsert(resolved.searchAttributes, {
    LeaderfallCluster: `${cluster.namespace}/${resolved.statefulSetName}`,
    LeaderfallNamespace: cluster.namespace,
    LeaderfallFault: fault?.kind,
    LeaderfallTarget: typeof target === 'object' ? Object.keys(target)[0] : target,
    LeaderfallVerdict: 'Running',
    LeaderfallEnvironment: environment,
    LeaderfallSpecHash: resolved.specHash,
  });
}

/** Makes the run findable by how it ended, as far as those attributes are registered. */
export function markResult(result: ChaosResult, registered: SearchAttributeName[]): void {
  const { stream } = result;
  upsert(registered, {
    LeaderfallVerdict: result.verdict,
    LeaderfallKills: countKills(result, 'proven'),
    LeaderfallLostRecords: stream?.lost,
    LeaderfallOutageMs: stream && Math.round(stream.longestAckGapMs),
  });
}

function upsert(registered: SearchAttributeName[], values: Values): void {
  const pairs = registered.flatMap((name): SearchAttributePair[] => {
    const value = values[name];
    if (value === undefined) return [];
    return searchAttributes[name] === 'Int'
      ? [{ key: defineSearchAttributeKey(name, SearchAttributeType.INT), value: Number(value) }]
      : [{ key: defineSearchAttributeKey(name, SearchAttributeType.KEYWORD), value: String(value) }];
  });
  if (pairs.length > 0) upsertSearchAttributes(pairs);
}
