import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Activities } from '../../src/activities/contract.ts';
import {
  indexedValueTypes,
  type SearchAttributeName,
  searchAttributes,
} from '../../src/experiment/search-attributes.ts';
import { healthy, runStory, timeSkippingServer } from './story-support.ts';

let env: TestWorkflowEnvironment;

beforeAll(async () => {
  env = await timeSkippingServer();
});

afterAll(async () => {
  await env.teardown();
});

test.each<[string, SearchAttributeName[], unknown[]]>([
  ['none', [], []],
  [
    'those that are',
    ['LeaderfallVerdict', 'LeaderfallKills'],
    [
      ['LeaderfallVerdict', 'Running'],
      ['LeaderfallKills', 3],
      ['LeaderfallVerdict', 'Pass'],
    ],
  ],
])(
  'of the search attributes %s registered are set, for another would block the run',
  async (_, registered, expected) => {
    const types = registered.map((name) => [name, indexedValueTypes[searchAttributes[name]]] as const);
    await env.connection.operatorService.addSearchAttributes({
      namespace: 'default',
      searchAttributes: Object.fromEntries(types),
    });
    const seen = { calls: [], acts: [] };
    const base = healthy(env, seen);
    const resolve: Activities['resolve'] = async (input) => ({
      ...(await base.resolve(input)),
      searchAttributes: registered,
    });
    const { handle } = await runStory(env, healthy(env, seen, { resolve }));
    const { events } = await handle.fetchHistory();
    const upserts = (events ?? []).flatMap(({ upsertWorkflowSearchAttributesEventAttributes: upsert }) =>
      Object.entries(upsert?.searchAttributes?.indexedFields ?? {})
        .map(([name, { data }]) => [name, JSON.parse(Buffer.from(data ?? []).toString())])
        .sort(),
    );
    expect(upserts).toEqual(expected);
  },
);
