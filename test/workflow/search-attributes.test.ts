import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Activities } from '../../src/activities/contract.ts';
import {
  indexedValueTypes,
  type SearchAttributeName,
  searchAttributes,
} from '../../src/experiment/search-attributes.ts';
import { failing, healthy, runStory, timeSkippingServer } from './story-support.ts';

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
    await register(registered);
    const seen = { calls: [], acts: [] };
    const base = healthy(env, seen);
    const resolve: Activities['resolve'] = async (input) => ({
      ...(await base.resolve(input)),
      searchAttributes: registered,
    });
    const { handle } = await runStory(env, healthy(env, seen, { resolve }));
    expect(await upsertsOf(handle)).toEqual(expected);
  },
);

test('a target that is a pod or a broker is found by that word', async () => {
  await register(['LeaderfallTarget']);
  for (const target of [{ pod: 'kafka-0' }, { broker: 1 }, 'leader'] as const) {
    const base = healthy(env, { calls: [], acts: [] });
    const resolve: Activities['resolve'] = async (input) => {
      const resolved = await base.resolve(input);
      const experiment = { ...resolved.experiment, target };
      return { ...resolved, experiment, searchAttributes: ['LeaderfallTarget'] };
    };
    const { handle } = await runStory(env, { ...base, resolve });
    const word = typeof target === 'string' ? target : Object.keys(target)[0];
    expect(await upsertsOf(handle)).toEqual([['LeaderfallTarget', word]]);
  }
});

test('a run that was refused before it had a target is found by its verdict too', async () => {
  await register(['LeaderfallVerdict']);
  const seen = { calls: [], acts: [] };
  const resolve = failing('CLUSTER_UNHEALTHY', 'resolve', ['LeaderfallVerdict', 'NotOfOurs']);
  const { handle } = await runStory(env, healthy(env, seen, { resolve }));
  expect(await upsertsOf(handle)).toEqual([['LeaderfallVerdict', 'Error']]);
});

const known = new Set<SearchAttributeName>();

/** Registers those that are not yet: the server refuses one that is. */
async function register(names: SearchAttributeName[]): Promise<void> {
  const types = names
    .filter((name) => !known.has(name))
    .map((name) => [name, indexedValueTypes[searchAttributes[name]]] as const);
  for (const name of names) known.add(name);
  await env.connection.operatorService.addSearchAttributes({
    namespace: 'default',
    searchAttributes: Object.fromEntries(types),
  });
}

async function upsertsOf(handle: WorkflowHandle): Promise<unknown[]> {
  const { events } = await handle.fetchHistory();
  return (events ?? []).flatMap(({ upsertWorkflowSearchAttributesEventAttributes: upsert }) =>
    Object.entries(upsert?.searchAttributes?.indexedFields ?? {})
      .map(([name, { data }]) => [name, JSON.parse(Buffer.from(data ?? []).toString())])
      .sort(),
  );
}
