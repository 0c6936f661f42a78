import { expect, test } from 'vitest';
import type { ResolvedExperiment } from '../../src/experiment/spec.ts';
import { changed, chooseBroker, guardReasons } from '../../src/faults/guard.ts';
import type { ClusterMetadata } from '../../src/kafka/port.ts';

function look(
  overrides: { leader?: number; isr?: number[]; brokers?: number[]; controller?: number } = {},
): ClusterMetadata {
  const { leader = 2, isr = [2, 0, 1], brokers = [0, 1, 2], controller = 1 } = overrides;
  return {
    at: 0,
    clusterId: null,
    controller,
    brokers: brokers.map((id) => ({ id, host: '', port: 1 })),
    partitions: [{ topic: 't', partition: 0, leader, leaderEpoch: 1, replicas: [2, 0, 1], isr }],
  };
}

/** Whom a kill hits where pods 0 to 2 run brokers 1000 to 1002. */
function chosen(target: ResolvedExperiment['target'], metadata: ClusterMetadata, chance = 0) {
  const pods = ['kafka-0', 'kafka-1', 'kafka-2'];
  return chooseBroker(target, metadata, chance, (pod) =>
    pods.includes(pod) ? 1000 + pods.indexOf(pod) : undefined,
  );
}

test('a whole partition and a whole cluster let a kill through', () => {
  expect(guardReasons(look(), [0, 1, 2], [])).toEqual([]);
});

test('a replica out of sync, a missing broker and a missing leader hold it back, each named', () => {
  expect(guardReasons(look({ isr: [2, 0] }), [0, 1, 2], [])).toEqual(['not in sync: broker 1']);
  expect(guardReasons(look({ brokers: [0, 2] }), [0, 1, 2], [])).toEqual(['down: broker 1']);
  expect(guardReasons(look({ leader: -1 }), [0, 1, 2], [])).toEqual(['the partition has no leader']);
});

test('a replica of any of the stream’s partitions that is out of sync holds it back', () => {
  const { partitions, ...rest } = look();
  const others = [1, 2].map((partition) => ({ ...look({ isr: [2, 0] }).partitions[0], partition }));
  const several = { ...rest, partitions: [...partitions, ...others] } as ClusterMetadata;
  expect(guardReasons(several, [0, 1, 2], [])).toEqual(['not in sync: broker 1']);
});

test('what the experiment allows does not hold it back; a missing leader always does', () => {
  const allow = ['under-replicated', 'broker-down'] as const;
  expect(guardReasons(look({ isr: [2], brokers: [2] }), [0, 1, 2], allow)).toEqual([]);
  expect(guardReasons(look({ leader: -1, isr: [] }), [0, 1, 2], allow)).toEqual([
    'the partition has no leader',
  ]);
});

test('targets are what Kafka says, with ids that are no ordinals', () => {
  const metadata = look({
    leader: 1002,
    isr: [1002, 1000, 1001],
    brokers: [1000, 1001, 1002],
    controller: 1001,
  });
  expect(chosen('leader', metadata)).toEqual({ broker: 1002 });
  expect(chosen('controller', metadata)).toEqual({ broker: 1001 });
  expect(chosen('follower', metadata)).toEqual({ broker: 1000 });
  expect(chosen('random', metadata, 0.99)).toEqual({ broker: 1002 });
  expect(chosen({ broker: 1001 }, metadata)).toEqual({ broker: 1001 });
  expect(chosen({ broker: 1 }, metadata)).toEqual({ reason: 'broker 1 is not in the metadata' });
  expect(chosen({ pod: 'kafka-1' }, metadata)).toEqual({ broker: 1001 });
  expect(chosen({ pod: 'kafka-3' }, metadata)).toEqual({ reason: 'pod kafka-3 is not in the metadata' });
  const two = look({ brokers: [1000, 1002] });
  expect(chosen({ pod: 'kafka-1' }, two)).toEqual({ reason: 'pod kafka-1 is not in the metadata' });
});

test('nobody to hit is said, not guessed', () => {
  expect(chosen('leader', look({ leader: -1 }))).toHaveProperty('reason');
  expect(chosen('controller', look({ controller: -1 }))).toHaveProperty('reason');
  expect(chosen('follower', look({ isr: [2] }))).toHaveProperty('reason');
});

test('a target that moved is noticed', () => {
  expect(changed('leader', 2, look())).toBeUndefined();
  expect(changed('leader', 2, look({ leader: 0 }))).toContain('0');
  expect(changed('controller', 1, look({ controller: 2 }))).toContain('2');
  expect(changed('follower', 0, look({ leader: 0 }))).toContain('leads now');
  expect(changed({ broker: 0 }, 0, look({ leader: 0 }))).toBeUndefined();
  expect(changed({ pod: 'kafka-0' }, 0, look({ leader: 0 }))).toBeUndefined();
});
