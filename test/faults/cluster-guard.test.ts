import fc from 'fast-check';
import { expect, test } from 'vitest';
import { clusterHolds, holdText } from '../../src/faults/cluster-guard.ts';
import type { Partition } from '../../src/kafka/port.ts';

/** What the guard says of a cluster. */
async function clusterReasons(...asked: Parameters<typeof clusterHolds>): Promise<string[]> {
  return (await clusterHolds(...asked)).map(holdText);
}

/** A cluster of these partitions whose topics ask for as many replicas in sync, 1 where nothing is said. */
function cluster(others: Partition[], minInsync: Record<string, number | undefined> = {}) {
  const partitions = [...others, partition('__consumer_offsets', 0, [7, 8, 9])];
  return onlySeeing(partitions, minInsync);
}

/** A cluster that shows these partitions and no others. */
function onlySeeing(partitions: Partition[], minInsync: Record<string, number | undefined> = {}) {
  const asked: string[][] = [];
  const whole = { at: 0, clusterId: null, controller: 0, brokers: [], partitions };
  return {
    asked,
    metadata: async () => whole,
    minInsyncReplicas: async (topics: string[]) => {
      asked.push(topics);
      const told = topics.map((topic) => [topic, topic in minInsync ? minInsync[topic] : 1] as const);
      return new Map(told.flatMap(([topic, least]) => (least === undefined ? [] : [[topic, least]])));
    },
  };
}

function partition(topic: string, number: number, replicas: number[], isr = replicas): Partition {
  return { topic, partition: number, leader: isr[0] ?? -1, leaderEpoch: 0, replicas, isr };
}

test('the internal topics of a whole cluster of three brokers let each of them go', async () => {
  const kafka = cluster(
    [partition('__consumer_offsets', 0, [0, 1, 2]), partition('__transaction_state', 0, [1, 2, 0])],
    { __transaction_state: 2 },
  );
  for (const broker of [0, 1, 2]) expect(await clusterReasons(kafka, broker, [], new Map())).toEqual([]);
});

test('each condition is said with the word that allows it, and its partitions are counted', async () => {
  const partitions = [
    ...[3, 1, 0, 2].map((number) => partition('single', number, [0])),
    partition('tight', 0, [0, 1]),
    partition('shrunk', 0, [0, 1, 2], [0, 1]),
  ];
  const kafka = cluster(partitions, { tight: 2, shrunk: 2 });
  const below = 'without broker 0 below min.insync.replicas';
  const said = {
    'single-replica': `${below} (guard.allow: single-replica): 4 partitions (single-0, single-1, single-2, …)`,
    'min-isr-equals-rf': `${below} (guard.allow: min-isr-equals-rf): 1 partition (tight-0)`,
    'under-replicated': `${below} (guard.allow: under-replicated): 1 partition (shrunk-0)`,
  } as const;
  expect(await clusterReasons(kafka, 0, [], new Map())).toEqual(Object.values(said));
  for (const allowed of Object.keys(said) as (keyof typeof said)[]) {
    const { [allowed]: _, ...others } = said;
    expect(await clusterReasons(kafka, 0, [allowed], new Map())).toEqual(Object.values(others));
  }
  expect(await clusterReasons(kafka, 2, [], new Map())).toEqual([]);
});

test('a partition without a leader holds every kill, and nothing allows it', async () => {
  const kafka = cluster([partition('gone', 0, [1], []), partition('whole', 0, [0, 1, 2])]);
  const allow = ['under-replicated', 'broker-down', 'single-replica', 'min-isr-equals-rf'] as const;
  expect(await clusterReasons(kafka, 0, allow, new Map())).toEqual(['offline: 1 partition (gone-0)']);
});

test('the last replica in sync is not taken where there are others, whatever is allowed', async () => {
  const kafka = cluster([partition('behind', 0, [0, 1, 2], [0]), partition('single', 0, [0])]);
  const allow = ['under-replicated', 'broker-down', 'single-replica', 'min-isr-equals-rf'] as const;
  expect(await clusterReasons(kafka, 0, allow, new Map())).toEqual([
    'without broker 0 no replica in sync: 1 partition (behind-0)',
  ]);
});

test('what an authorizer hides is not taken for safe', async () => {
  const kafka = onlySeeing([partition('stream', 0, [0, 1, 2])]);
  expect(await clusterReasons(kafka, 0, [], new Map())).toEqual([
    'topics are hidden, __consumer_offsets among them (guard.allow: partial-view)',
  ]);
  expect(await clusterReasons(kafka, 0, ['partial-view'], new Map())).toEqual([]);
  const untold = cluster([partition('orders', 0, [0, 1, 2])], { orders: undefined });
  expect(await clusterReasons(untold, 0, ['partial-view'], new Map())).toEqual([
    'min.insync.replicas not known: 1 partition (orders-0)',
  ]);
});

test('topics without the broker are not asked for, and none twice', async () => {
  const kafka = cluster([partition('with', 0, [0, 1, 2]), partition('without', 0, [1, 2])]);
  const known = new Map<string, number>();
  await clusterReasons(kafka, 0, [], known);
  await clusterReasons(kafka, 0, [], known);
  expect(kafka.asked).toEqual([['with']]);
});

test('a kill is let through exactly where every partition keeps as many replicas in sync as it needs', async () => {
  const replicas = fc.shuffledSubarray([0, 1, 2, 3], { minLength: 1 });
  const one = replicas.chain((all) =>
    fc.record({
      all: fc.constant(all),
      isr: fc.shuffledSubarray(all, { minLength: 1 }),
      least: fc.integer({ min: 1, max: 3 }),
    }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(one, { maxLength: 6 }), async (topics) => {
      const kafka = cluster(
        topics.map(({ all, isr }, index) => partition(`t${index}`, 0, all, isr)),
        Object.fromEntries(topics.map(({ least }, index) => [`t${index}`, least])),
      );
      const safe = topics.every(
        ({ isr, least }) => !isr.includes(0) || isr.filter((id) => id !== 0).length >= least,
      );
      expect((await clusterReasons(kafka, 0, [], new Map())).length === 0).toBe(safe);
    }),
  );
});
