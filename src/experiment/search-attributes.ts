/** Search attributes by which runs are found in Temporal, with their types. A run sets those that are registered. */
export const searchAttributes = {
  /** `<namespace>/<StatefulSet>` */
  LeaderfallCluster: 'Keyword',
  LeaderfallNamespace: 'Keyword',
  LeaderfallFault: 'Keyword',
  /** leader, controller, follower, random, broker or pod. */
  LeaderfallTarget: 'Keyword',
  /** Running, then the verdict. */
  LeaderfallVerdict: 'Keyword',
  /** As the experiment or the worker names it, e.g. staging. */
  LeaderfallEnvironment: 'Keyword',
  /** Runs of the same experiment have the same. */
  LeaderfallSpecHash: 'Keyword',
  /** Proven kills. */
  LeaderfallKills: 'Int',
  LeaderfallLostRecords: 'Int',
  /** Longest time without an ack at the producer, ms. */
  LeaderfallOutageMs: 'Int',
} as const;

/** A search attribute that a run sets. */
export type SearchAttributeName = keyof typeof searchAttributes;

/** All of them. */
export const searchAttributeNames = Object.keys(searchAttributes) as SearchAttributeName[];

/** Temporal's IndexedValueType of each type. */
export const indexedValueTypes = { Keyword: 2, Int: 3 } as const;

/** Which of ours a namespace has, has not, or has with another type, out of its custom attributes by name. */
export function compareRegistered(registered: Record<string, unknown>): {
  present: SearchAttributeName[];
  missing: SearchAttributeName[];
  otherType: SearchAttributeName[];
} {
  const isOf = (name: SearchAttributeName) =>
    Number(registered[name]) === indexedValueTypes[searchAttributes[name]];
  const known = (name: SearchAttributeName) => Number(registered[name] ?? 0) > 0;
  return {
    present: searchAttributeNames.filter(isOf),
    missing: searchAttributeNames.filter((name) => !known(name)),
    otherType: searchAttributeNames.filter((name) => known(name) && !isOf(name)),
  };
}
